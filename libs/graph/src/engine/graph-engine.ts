import {
  EngineError,
  type ApplyInputs,
  type Engine,
  type EvaluationCounts,
  type HeldSum,
  type HeldValues,
  type LaneBatch,
  type LayerProbe,
  type TensorMap,
  type VectorLayout,
  type VectorPart,
} from '@skipring/trainer';
import { DataType, type Output } from '../graph-def.js';
import type { Feed, GraphSession } from '../session/graph-session.js';
import type { ApplyGraph } from './apply-graph.js';
import type { HeldGraph } from './held-sum.js';
import { checkBatch, checkExponents, checkVector } from './check-inputs.js';
import { partsOf } from './lane-vector.js';
import { GraphLayerProbe, type ProbeGraphs } from './layer-probe.js';
import type { ExactInputs } from './lane-vector.js';
import type { BatchInputs, InputShape, LaneInputs, RecordedEvaluation } from './record-lane.js';
import type { StateGraph } from './state-graph.js';

export interface LaneGraph extends LaneInputs {
  /** The vector's part of each bucket; each is a run of its own, in this order. */
  readonly buckets: readonly Output[];
  /** Null in a float32 graph. */
  readonly exact: ExactInputs | null;
}

/** The update by a vector that it is given. */
export interface ReducedUpdate extends ApplyGraph {
  /** int32 or float32 [layout.length] */
  readonly reduced: Output;
}

export type EvaluationGraph = Omit<RecordedEvaluation, 'samples'>;

export interface GraphEngineParts {
  readonly session: GraphSession;
  readonly layout: VectorLayout;
  readonly reduction: 'exact' | 'float32';
  /** By number of samples. */
  readonly lanes: ReadonlyMap<number, LaneGraph>;
  readonly evaluations: ReadonlyMap<number, EvaluationGraph>;
  readonly apply: ReducedUpdate;
  /** Null where sums can't stay in the session. */
  readonly held: HeldGraph | null;
  readonly state: StateGraph;
  readonly probe: ProbeGraphs | null;
  /** Shapes of all variables, in the order of the state graph. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly laneSize: number;
  readonly inputShape: InputShape;
  readonly numClasses: number;
}

const { float32, int32 } = DataType;

/** A compiled model: one loaded graph, and the names of what it takes and gives. */
export class GraphEngine implements Engine {
  readonly layout: VectorLayout;
  readonly reduction: 'exact' | 'float32';
  readonly probe: LayerProbe | null;
  readonly held: HeldSum | null;

  constructor(private readonly parts: GraphEngineParts) {
    this.layout = parts.layout;
    this.reduction = parts.reduction;
    this.held = parts.held === null ? null : this.heldSum(parts.held);
    const { probe, session } = parts;
    if (probe === null) {
      this.probe = null;
      return;
    }
    this.probe = new GraphLayerProbe({
      ...probe,
      session,
      imagesFeed: (images, batch) => this.imagesFeed(images, batch),
      vectorFeeds: (graph, reduced, inputs) => this.vectorFeeds(graph, reduced, inputs),
    });
  }

  forwardBackward(
    batch: LaneBatch,
    exponents: Int32Array,
    lanes: number,
    seed: number,
  ): Int32Array | Float32Array {
    const { length } = this.layout;
    const vector = this.reduction === 'exact' ? new Int32Array(length) : new Float32Array(length);
    for (const parts of this.segments(batch, exponents, lanes, seed)) {
      for (const { offset, values } of parts) vector.set(values, offset);
    }
    return vector;
  }

  *segments(
    batch: LaneBatch,
    exponents: Int32Array,
    lanes: number,
    seed: number,
  ): Generator<VectorPart[], void> {
    const graph = graphOf(this.parts.lanes, batch, 'a lane');
    const feeds = this.laneFeeds(graph, batch, exponents, lanes, seed);
    for (const [index, bucket] of this.layout.buckets.entries()) {
      const output = graph.buckets[index] ?? '';
      const [values] = this.parts.session.run(index === 0 ? feeds : [], [output]);
      if (values === undefined || values instanceof Uint8Array) {
        throw new EngineError('GRAPH_FAILED', 'the graph yielded no vector');
      }
      yield partsOf(this.layout, bucket, values);
    }
  }

  apply(reduced: Int32Array | Float32Array, inputs: ApplyInputs): void {
    const { apply, session } = this.parts;
    const feeds = [this.reducedFeed(apply.reduced, reduced), ...this.updateFeeds(apply, inputs)];
    session.run(feeds, [apply.done]);
  }

  evaluate(batch: LaneBatch): EvaluationCounts {
    const graph = graphOf(this.parts.evaluations, batch, 'an evaluation batch');
    const outputs = [graph.confusion, graph.lossSum, graph.losses, graph.predicted];
    const yielded = this.parts.session.run(this.batchFeeds(graph, batch), outputs);
    const [confusion, loss, losses, predicted] = yielded;
    if (
      !(confusion instanceof Int32Array) ||
      !(loss instanceof Float32Array) ||
      !(losses instanceof Float32Array) ||
      !(predicted instanceof Int32Array)
    ) {
      throw new EngineError('GRAPH_FAILED', 'the graph yielded no evaluation');
    }
    const lossSum = Math.round((loss[0] ?? 0) * 2 ** this.layout.lossScaleBits);
    return { confusion, lossSum, samples: batch.samples, losses, predicted };
  }

  readState(): TensorMap {
    const { session, shapes, state } = this.parts;
    const values = session.run([], state.reads);
    return new Map(
      [...shapes].map(([name, shape], index) => [
        name,
        { shape, values: values[index] as Float32Array },
      ]),
    );
  }

  writeState(tensors: TensorMap): void {
    const { session, shapes, state } = this.parts;
    requireSameTensors(shapes, tensors);
    const feeds = [...shapes].map(([name, shape], index): Feed => ({
      output: state.writes[index] ?? '',
      dtype: float32,
      shape,
      values: tensors.get(name)?.values ?? new Float32Array(),
    }));
    session.run(feeds, [state.written]);
  }

  dispose(): void {
    this.parts.session.dispose();
  }

  private heldSum({ begin, add, apply }: HeldGraph): HeldSum {
    const { session, lanes } = this.parts;
    const { length, metricsOffset } = this.layout;
    const tailLength = length - metricsOffset;
    return {
      add: (batch, exponents, numLanes, seed, isFirst): HeldValues => {
        const feeds = this.laneFeeds(
          graphOf(lanes, batch, 'a lane'),
          batch,
          exponents,
          numLanes,
          seed,
        );
        const output = graphOf(isFirst ? begin : add, batch, 'a lane');
        const [values] = session.run(feeds, [output]);
        if (values === undefined || values instanceof Uint8Array) {
          throw new EngineError('GRAPH_FAILED', 'the graph yielded no values of the sum');
        }
        const maxima =
          values instanceof Int32Array ? values.subarray(tailLength) : new Int32Array();
        return { tail: values.subarray(0, tailLength), maxima };
      },
      apply: (inputs) => {
        session.run(this.updateFeeds(apply, inputs), [apply.done]);
      },
    };
  }

  private laneFeeds(
    graph: LaneGraph,
    batch: LaneBatch,
    exponents: Int32Array,
    lanes: number,
    seed: number,
  ): Feed[] {
    checkExponents(exponents, this.layout);
    const feeds = this.batchFeeds(graph, batch);
    if (graph.seed !== null) {
      feeds.push({ output: graph.seed, dtype: int32, shape: [], values: Int32Array.of(seed) });
    }
    if (graph.exact !== null) {
      const weight = batch.samples / this.parts.laneSize;
      const scales = Float32Array.from(exponents, (exponent) => weight * 2 ** exponent);
      feeds.push(
        vectorFeed(graph.exact.scales, scales),
        scalarFeed(graph.exact.limit, laneLimit(lanes)),
      );
    }
    return feeds;
  }

  private updateFeeds(graph: ApplyGraph, inputs: ApplyInputs): Feed[] {
    return [
      this.scalesFeed(graph.scales, inputs),
      ...graph.scalars.map(({ output, valueAt }) => scalarFeed(output, valueAt(inputs))),
    ];
  }

  private vectorFeeds(
    graph: { readonly reduced: Output; readonly scales: Output },
    reduced: Int32Array | Float32Array,
    inputs: Pick<ApplyInputs, 'totalWeight' | 'exponents'>,
  ): Feed[] {
    return [this.reducedFeed(graph.reduced, reduced), this.scalesFeed(graph.scales, inputs)];
  }

  private reducedFeed(output: Output, reduced: Int32Array | Float32Array): Feed {
    checkVector(reduced, this.layout, this.reduction);
    // What comes from the ring lies in shared memory, which TensorFlow is not handed.
    const values = reduced.slice();
    const dtype = this.reduction === 'exact' ? int32 : float32;
    return { output, dtype, shape: [values.length], values };
  }

  private scalesFeed(
    output: Output,
    { totalWeight, exponents }: Pick<ApplyInputs, 'totalWeight' | 'exponents'>,
  ): Feed {
    checkExponents(exponents, this.layout);
    const isExact = this.reduction === 'exact';
    const scales = Float32Array.from(
      exponents,
      (exponent) => (isExact ? 2 ** -exponent : 1) / totalWeight,
    );
    return vectorFeed(output, scales);
  }

  private batchFeeds(graph: BatchInputs, batch: LaneBatch): Feed[] {
    const { labels, samples } = batch;
    return [
      this.imagesFeed(graph.images, batch),
      { output: graph.labels, dtype: int32, shape: [samples], values: labels },
    ];
  }

  private imagesFeed(output: Output, batch: LaneBatch): Feed {
    checkBatch(batch, this.parts.inputShape, this.parts.numClasses);
    const { height, width, channels } = this.parts.inputShape;
    const shape = [batch.samples, height, width, channels];
    return { output, dtype: float32, shape, values: batch.images };
  }
}

function graphOf<G>(graphs: ReadonlyMap<number, G>, { samples }: LaneBatch, what: string): G {
  const graph = graphs.get(samples);
  if (graph !== undefined) return graph;
  const known = [...graphs.keys()].join(' or ');
  throw new EngineError('BATCH_SIZE', `${what} has ${samples} samples: expected ${known}`);
}

/** Largest float32 whose multiple by `lanes` is below 2^31: a sum of lanes can't wrap. */
function laneLimit(lanes: number): number {
  const bound = Math.floor((2 ** 31 - 1) / lanes);
  const rounded = Math.fround(bound);
  return rounded <= bound ? rounded : rounded - 2 ** (Math.floor(Math.log2(bound)) - 23);
}

function vectorFeed(output: Output, values: Float32Array): Feed {
  return { output, dtype: float32, shape: [values.length], values };
}

function scalarFeed(output: Output, value: number): Feed {
  return { output, dtype: float32, shape: [], values: new Float32Array([value]) };
}

/** Names everything that is missing, unknown or of another shape. */
function requireSameTensors(
  shapes: ReadonlyMap<string, readonly number[]>,
  tensors: TensorMap,
): void {
  const problems = [
    ...[...shapes].flatMap(([name, shape]) => {
      const given = tensors.get(name);
      if (given === undefined) return [`${name} is missing`];
      if (given.shape.join() !== shape.join()) {
        return [`${name} has shape [${given.shape.join()}], expected [${shape.join()}]`];
      }
      const numValues = shape.reduce((product, size) => product * size, 1);
      return given.values.length === numValues
        ? []
        : [`${name} has ${given.values.length} values, expected ${numValues}`];
    }),
    ...[...tensors.keys()].filter((name) => !shapes.has(name)).map((name) => `${name} is unknown`),
  ];
  if (problems.length > 0) {
    throw new EngineError(
      'STATE_MISMATCH',
      `the state is of another model: ${problems.join('; ')}`,
    );
  }
}
