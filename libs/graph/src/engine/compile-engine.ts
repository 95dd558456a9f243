import type { TrainableModel } from '@skipring/nn';
import type { JobSpec } from '@skipring/protocol';
import { EngineError, type Engine, type VectorLayout } from '@skipring/trainer';
import type { NodeBackend } from '../binding.js';
import { GraphBuilder } from '../graph-builder.js';
import { DataType, type Graph, type Node, type Output } from '../graph-def.js';
import { autocast } from '../passes/autocast.js';
import { cut } from '../passes/cut.js';
import { compareRecordings } from '../passes/compare-recordings.js';
import { foldConstants } from '../passes/fold-constants.js';
import { prune } from '../passes/prune.js';
import { shareConstants } from '../passes/share-constants.js';
import { skipCasts } from '../passes/skip-casts.js';
import { evaluateNode } from '../session/evaluate-node.js';
import { GraphSession } from '../session/graph-session.js';
import { nodeBackend } from '../tensorflow.js';
import { VariableSet } from '../variables.js';
import { buildApply } from './apply-graph.js';
import { GraphEngine, type EvaluationGraph, type LaneGraph } from './graph-engine.js';
import { HeldVariable, type HeldGraph } from './held-sum.js';
import { initialState } from './initial-state.js';
import { layersOf, type ActivationGraph, type ProbeGraphs } from './layer-probe.js';
import { exactBuckets, floatBuckets } from './lane-vector.js';
import { layoutOf } from './layout.js';
import { optimizerOf, slotName, type OptimizerSpec } from './optimizers.js';
import { buildNorms, recordActivations } from './probe-graphs.js';
import { recordEvaluation, recordLane, type InputShape, type RecordedLane } from './record-lane.js';
import { buildState } from './state-graph.js';
import { trainedName } from './weight-average.js';

/** What decides an engine's graph. */
export interface EngineOptions {
  /** Its variables' values are where training starts. */
  readonly model: TrainableModel;
  readonly spec: OptimizerSpec & {
    readonly labelSmoothing: number;
    readonly reduction: 'exact' | 'float32';
    /** Of forward and backward passes; float32 where absent. */
    readonly precision?: JobSpec['precision'];
  };
  /** Numbers of samples that lanes have, such as [64, 32]; each gets a graph. */
  readonly trainBatchSizes: readonly number[];
  readonly evaluationBatchSizes: readonly number[];
  /** Samples of a whole lane: what a short lane's weight is relative to. */
  readonly laneSize: number;
  readonly numClasses: number;
  readonly inputShape: InputShape;
  /** Whether the engine can look at its layers; changes no bit of what it trains. */
  readonly hasProbe?: boolean;
  /** Bytes at which a bucket of the vector is closed; for tests. */
  readonly bucketBytes?: number;
}

/** Begins the names of what is recorded of lanes. */
const LANE_SCOPE = 'lane';

let numEngines = 0;

/**
 * Records the model for every batch shape, adds the vector, the update and access to the state, and
 * loads all of it as one graph with one set of variables.
 *
 * @throws EngineError when the model can't be recorded, or TensorFlow refuses the graph
 */
export function compileEngine(options: EngineOptions): Engine {
  const backend = nodeBackend();
  const { model, spec, laneSize } = options;
  numEngines += 1;
  const g = new GraphBuilder();
  const owner = `engine-${numEngines}`;
  const variables = declareVariables(g, options, owner);
  const variableOf = (name: string): string => trainedName(spec, name);

  const dtype = spec.reduction === 'exact' ? DataType.int32 : DataType.float32;
  let layout: VectorLayout | null = null;
  let momenta: RecordedLane['momenta'] = new Map();
  const lanes = new Map<number, LaneGraph>();
  // The smallest first: it is recorded once more, to be compared.
  for (const samples of options.trainBatchSizes.toSorted((a, b) => a - b)) {
    const scope = `${LANE_SCOPE}${samples}`;
    const record = { ...options, backend, builder: g, variables, samples, scope, sampleSeed: 1 };
    const lane = recordLane({ ...record, variableOf }, spec.labelSmoothing);
    if (layout === null) requireStable(g.nodes, backend, options, owner, samples);
    layout ??= layoutOf(lane.slots, options.bucketBytes);
    momenta = lane.momenta;
    const { images, labels, seed } = lane;
    if (spec.reduction === 'exact') {
      const scales = g.placeholder(`${scope}/scales`, DataType.float32, [layout.slots.length]);
      const limit = g.placeholder(`${scope}/limit`, DataType.float32, []);
      const buckets = exactBuckets(g, layout, lane, { scales, limit });
      lanes.set(samples, { images, labels, seed, buckets, exact: { scales, limit } });
    } else {
      const buckets = floatBuckets(g, layout, lane, samples / laneSize);
      lanes.set(samples, { images, labels, seed, buckets, exact: null });
    }
  }
  if (layout === null)
    throw new EngineError('MODEL_INVALID', 'trainBatchSizes: expected at least one');

  const evaluations = new Map<number, EvaluationGraph>();
  for (const samples of options.evaluationBatchSizes) {
    const scope = `evaluation${samples}`;
    const record = { ...options, backend, builder: g, variables, samples, scope, sampleSeed: 1 };
    const evaluated = { ...record, variableOf: (name: string) => name };
    evaluations.set(samples, recordEvaluation(evaluated, options.numClasses));
  }

  const { length } = layout;
  const reduced = g.placeholder('apply/reduced', dtype, [length]);
  const source = { reduced, dtype, scope: 'apply' };
  const apply = {
    ...buildApply(g, variables, model, layout, momenta, spec, source),
    reduced,
  };
  const held = isHeld(backend, layout)
    ? buildHeld(g, variables, options, { layout, momenta, lanes, dtype, owner })
    : null;
  const state = buildState(g, variables);
  const probe =
    options.hasProbe === true ? buildProbe(g, backend, variables, options, layout) : null;
  const outputs: Output[] = [
    ...[...lanes.values()].flatMap(({ buckets }) => buckets),
    ...[...evaluations.values()].flatMap(({ confusion, lossSum, losses, predicted }) => [
      confusion,
      lossSum,
      losses,
      predicted,
    ]),
    apply.done,
    ...(held === null ? [] : [...held.begin.values(), ...held.add.values(), held.apply.done]),
    ...state.reads,
    state.written,
    ...(probe === null ? [] : outputsOf(probe)),
  ];
  const float = simplify(backend, g.nodes, outputs);
  const isLane = ({ name }: Node): boolean => name.startsWith(LANE_SCOPE);
  let graph = spec.precision === 'bfloat16' ? autocast(float, isLane) : float;
  if (layout.buckets.length > 1) {
    for (const [samples, lane] of lanes) {
      const segments = cut(graph, lane.buckets, `engine-${numEngines}/${LANE_SCOPE}${samples}`);
      ({ graph } = segments);
      lanes.set(samples, { ...lane, buckets: segments.ends });
    }
  }
  const session = GraphSession.load(backend.binding, graph);
  const engine = new GraphEngine({
    session,
    layout,
    reduction: spec.reduction,
    lanes,
    evaluations,
    apply,
    held,
    state,
    probe,
    shapes: new Map(variables.names.map((name) => [name, variables.shape(name)])),
    laneSize,
    inputShape: options.inputShape,
    numClasses: options.numClasses,
  });
  engine.writeState(initialState(model, spec));
  return engine;
}

/**
 * Whether sums may stay in the session. Those of several buckets come in as many runs, and are so large
 * that handing them out counts for little; on a GPU int32 variables are not for every kernel.
 */
function isHeld({ binding }: NodeBackend, { buckets }: VectorLayout): boolean {
  return buckets.length === 1 && !binding.isUsingGpuDevice();
}

interface HeldOptions {
  readonly layout: VectorLayout;
  readonly momenta: RecordedLane['momenta'];
  /** Each of one bucket. */
  readonly lanes: ReadonlyMap<number, LaneGraph>;
  readonly dtype: number;
  readonly owner: string;
}

/** Adds the graphs that leave a sum where it is. */
function buildHeld(
  g: GraphBuilder,
  variables: VariableSet,
  { model, spec }: EngineOptions,
  { layout, momenta, lanes, dtype, owner }: HeldOptions,
): HeldGraph {
  const held = new HeldVariable(g, layout, dtype, owner);
  const keep = (isFirst: boolean) =>
    new Map(
      [...lanes].map(([samples, { buckets }]) => [samples, held.keep(buckets[0] ?? '', isFirst)]),
    );
  const source = { reduced: held.read(), dtype, scope: 'held' };
  const apply = buildApply(g, variables, model, layout, momenta, spec, source);
  return { begin: keep(true), add: keep(false), apply };
}

/** What the outputs need, with each constant once, no idle conversion and nothing computed of constants alone. */
function simplify(backend: NodeBackend, nodes: Graph, outputs: readonly Output[]): Graph {
  const needed = skipCasts(prune(nodes, outputs), outputs);
  const folded = foldConstants(needed, (node, inputs) =>
    evaluateNode(backend.binding, node, inputs),
  );
  return prune(shareConstants(folded), outputs);
}

function declareVariables(
  g: GraphBuilder,
  { model, spec }: EngineOptions,
  owner: string,
): VariableSet {
  const variables = new VariableSet(g, owner);
  for (const { name, variable } of model.parameters) variables.declare(name, variable.shape);
  for (const { name, variable } of model.movingStatistics) variables.declare(name, variable.shape);
  for (const { name, variable } of model.parameters) {
    if (spec.weightAverage !== undefined) {
      variables.declare(trainedName(spec, name), variable.shape);
    }
  }
  for (const slot of optimizerOf(spec).slots) {
    for (const { name, variable } of model.parameters) {
      variables.declare(slotName(slot, name), variable.shape);
    }
  }
  return variables;
}

/** Adds the graphs that look at the layers. */
function buildProbe(
  g: GraphBuilder,
  backend: NodeBackend,
  variables: VariableSet,
  options: EngineOptions,
  layout: VectorLayout,
): ProbeGraphs {
  const layers = layersOf(options.model);
  const names = layers.map(({ name }) => name);
  const variableOf = (name: string): string => trainedName(options.spec, name);
  const activations = new Map<number, ActivationGraph>();
  for (const samples of options.trainBatchSizes) {
    const scope = `probe${samples}`;
    const record = { ...options, backend, builder: g, variables, samples, scope, sampleSeed: 1 };
    activations.set(samples, recordActivations({ ...record, variableOf }, names));
  }
  const parameters = layers.map((layer) => layer.parameters);
  const dtype = options.spec.reduction === 'exact' ? DataType.int32 : DataType.float32;
  return {
    layers: layers.map(({ name, kind, numParameters }) => ({ name, kind, numParameters })),
    activations,
    norms: buildNorms(g, variables, variableOf, layout, parameters, dtype),
  };
}

function outputsOf({ activations, norms }: ProbeGraphs): Output[] {
  const moments = [...activations.values()].flatMap(({ mean, variance }) => [mean, variance]);
  return [...moments, norms.gradient, norms.weight];
}

/** Records the first lane of a graph, `nodes`, once more, on other inputs, and compares. */
function requireStable(
  nodes: Graph,
  backend: NodeBackend,
  options: EngineOptions,
  owner: string,
  samples: number,
): void {
  const builder = new GraphBuilder();
  const variables = declareVariables(builder, options, owner);
  const scope = `${LANE_SCOPE}${samples}`;
  const record = { ...options, backend, builder, variables, samples, scope, sampleSeed: 2 };
  const variableOf = (name: string): string => trainedName(options.spec, name);
  recordLane({ ...record, variableOf }, options.spec.labelSmoothing);
  compareRecordings(nodes, builder.nodes);
}
