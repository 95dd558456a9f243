import { advance, samplesInStep } from '@skipring/data';
import { lanesOfGroup, numLaneGroups, type SyncSpec } from '@skipring/protocol';
import { agree } from '../agree.js';
import { keptName, optimizerSlots, outerName, ownGroups } from '../auxiliary.js';
import { OPTIMIZER_PREFIX, type TensorData, type TensorMap } from '../engine.js';
import { TrainerError } from '../errors.js';
import { gather } from '../gather.js';
import type { Generation } from '../generation.js';
import { checksumOf, requireSamples, type StepSums } from '../reduced-vector.js';
import type { Stopwatch } from '../stopwatch.js';
import { addChanges, exponentsFor, largestChanges } from './mean-change.js';
import { outerStep } from './outer-step.js';
import { nextPeriod } from './periods.js';
import { PeriodVector } from './period-vector.js';
import { runReplica, type ReplicaResult } from './run-replica.js';

/** A period that all ranks voted to commit. */
export interface Period {
  /** Of each step, over all replicas. */
  readonly sums: readonly StepSums[];
  /** Samples that this rank computed, in all steps. */
  readonly samples: number;
  readonly numRepeats: number;
}

interface OwnReplica extends ReplicaResult {
  readonly replica: number;
}

/**
 * Trains this rank's replicas through the next period, one after the other, and commits the mean of
 * all replicas, with the outer optimizer's step in `diloco`. Which rank owns a replica does not
 * matter to any bit. Whatever rejects before the commit leaves the state at the period's beginning.
 *
 * @throws TrainerError also APPLY_FAILED: then the engine's state is of no position
 */
export async function trainPeriod(g: Generation, watch: Stopwatch): Promise<Period> {
  const { state, spec, totalSteps } = g;
  const before = state.engine.readState();
  const numSteps = nextPeriod(spec, state.position.step, totalSteps);
  const names = sharedNames(g, before);
  let reduced: Reduced;
  let own: readonly OwnReplica[];
  try {
    own = await runReplicas(g, before, numSteps, watch);
    reduced = await reduce(g, before, names, own, numSteps, watch);
  } catch (error) {
    state.engine.writeState(before);
    throw error;
  }
  await watch.time('applyMs', async () => {
    await g.onPhase('apply', state.position.step + numSteps);
    commitPeriod(g, before, names, reduced, numSteps);
  });
  const { sums } = reduced.vector;
  const samples = own
    .flatMap((replica) => replica.sums)
    .reduce((sum, step) => sum + step.samples, 0);
  const numRepeats = own.reduce((sum, replica) => sum + replica.numRepeats, 0);
  return { sums, samples, numRepeats };
}

/** Tensors of which a period commits the mean, in an order that all ranks share. */
function sharedNames({ spec: { sync } }: Generation, tensors: TensorMap): string[] {
  const names = [...tensors.keys()].sort();
  return optimizerStateOf(sync) === 'average'
    ? names
    : names.filter((name) => !name.startsWith(OPTIMIZER_PREFIX));
}

function optimizerStateOf(sync: SyncSpec): 'average' | 'keep' | 'reset' {
  return sync.mode === 'allReduce' ? 'average' : sync.optimizerState;
}

async function runReplicas(
  g: Generation,
  before: TensorMap,
  numSteps: number,
  watch: Stopwatch,
): Promise<OwnReplica[]> {
  const own: OwnReplica[] = [];
  for (const replica of ownGroups(g.spec, g.lanes)) {
    g.state.engine.writeState(startOf(g, before, replica));
    const result = await runReplica(g, lanesOfGroup(g.spec, replica), numSteps, watch);
    own.push({ ...result, replica });
  }
  return own;
}

/** The state that a replica begins a period with: after the warm-up, its own optimizer slots. */
function startOf(
  { state, spec: { sync } }: Generation,
  before: TensorMap,
  replica: number,
): TensorMap {
  if (sync.mode === 'allReduce' || state.position.step <= sync.warmupSteps) return before;
  const kept = new Map(before);
  for (const name of before.keys()) {
    const tensor = state.auxiliary.get(keptName(replica, name));
    if (name.startsWith(OPTIMIZER_PREFIX) && tensor !== undefined) kept.set(name, tensor);
  }
  return kept;
}

interface Reduced {
  readonly vector: PeriodVector;
  /** Of the mean changes, by shared tensor. */
  readonly changeExponents: Int32Array;
  /** Of the next steps' gradients: the smallest of all replicas. */
  readonly exponents: Int32Array;
}

async function reduce(
  g: Generation,
  before: TensorMap,
  names: readonly string[],
  own: readonly OwnReplica[],
  numSteps: number,
  watch: Stopwatch,
): Promise<Reduced> {
  // The slowest replica's steps are waited for here.
  const patient = { ...g, deadlineMs: Math.min(2 ** 31 - 1, g.deadlineMs * numSteps) };
  const { maxima, exponents } = await watch.time('ringMs', () =>
    compare(patient, before, names, own),
  );
  const badName = names.find((_, index) => !Number.isFinite(maxima[index]));
  if (badName !== undefined) {
    throw new TrainerError(
      'NON_FINITE_PARAMETERS',
      `step ${g.state.position.step + numSteps}: NaN or infinity in ${badName} of a replica; ` +
        'expected finite values: try a smaller learning rate or more warm-up steps',
      true,
    );
  }
  const numReplicas = numLaneGroups(g.spec);
  const changeExponents = exponentsFor(maxima, numReplicas);
  const vector = new PeriodVector(before, names, numSteps, {
    numReplicas,
    keepsSlots: optimizerStateOf(g.spec.sync) === 'keep',
  });
  for (const { replica, sums, tensors } of own) {
    addChanges(vector.changes, before, tensors, names, changeExponents);
    vector.addSums(sums);
    vector.putKept(replica, tensors);
  }
  const lastStep = g.state.position.step + numSteps;
  await watch.time('ringMs', async () => {
    await g.onPhase('reduce', lastStep);
    await g.collective.allReduce(vector.words, g.deadlineMs);
  });
  await watch.time('commitMs', async () => {
    await g.onPhase('vote', lastStep);
    await agree(g, checksumOf(vector.words), []);
  });
  requireAllSamples(g, vector.sums);
  return { vector, changeExponents, exponents };
}

/** Over all ranks: the largest change of each tensor, and the smallest exponent of each slot. */
async function compare(
  g: Generation,
  before: TensorMap,
  names: readonly string[],
  own: readonly OwnReplica[],
): Promise<{ maxima: Float32Array; exponents: Int32Array }> {
  const ends = own.map(({ tensors }) => tensors);
  const bits = new Int32Array(largestChanges(before, ends, names).buffer);
  const smallest = g.state.exponents.map((_, slot) =>
    Math.min(...own.map(({ exponents }) => exponents[slot] ?? 0)),
  );
  const rows = await gather(g.collective, [...bits, ...smallest], g.deadlineMs);
  const maximaOf = rows.map((row) => new Float32Array(row.buffer, row.byteOffset, names.length));
  const exponentsOf = rows.map((row) => row.subarray(names.length));
  return {
    maxima: Float32Array.from(names, (_, index) => Math.max(...maximaOf.map((m) => m[index] ?? 0))),
    exponents: smallest.map((_, slot) => Math.min(...exponentsOf.map((e) => e[slot] ?? 0))),
  };
}

function requireAllSamples(g: Generation, sums: readonly StepSums[]): void {
  let { position } = g.state;
  for (const step of sums) {
    const expected = samplesInStep(position, g.numSamples, g.spec.lanes);
    requireSamples(step, expected, position.step + 1);
    position = advance(position, g.numSamples, g.spec.lanes);
  }
}

/** Engine, auxiliary tensors, exponents and data cursor, together. */
function commitPeriod(
  g: Generation,
  before: TensorMap,
  names: readonly string[],
  { vector, changeExponents, exponents }: Reduced,
  numSteps: number,
): void {
  const { state, spec } = g;
  const numReplicas = numLaneGroups(spec);
  const tensors = new Map(before);
  const auxiliary = new Map(state.auxiliary);
  names.forEach((name, index) => {
    const tensor = before.get(name);
    if (tensor === undefined) return;
    const exponent = changeExponents[index] ?? 0;
    const change = { words: vector.changeOf(index), exponent, numReplicas };
    const outer = auxiliary.get(outerName(name));
    const update = outerStep(tensor, change, outer?.values ?? null, spec.sync);
    tensors.set(name, { shape: tensor.shape, values: update.values });
    if (outer !== undefined && update.momentum !== null) {
      auxiliary.set(outerName(name), { shape: outer.shape, values: update.momentum });
    }
  });
  for (const [name, tensor] of keptTensors(before, vector, numReplicas))
    auxiliary.set(name, tensor);
  if (optimizerStateOf(spec.sync) === 'reset') {
    for (const [name, { shape, values }] of optimizerSlots(before)) {
      tensors.set(name, { shape, values: new Float32Array(values.length) });
    }
  }
  try {
    state.engine.writeState(tensors);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `step ${state.position.step + numSteps}: ${why}`;
    throw new TrainerError('APPLY_FAILED', message, false, { cause });
  }
  state.auxiliary = auxiliary;
  state.exponents = exponents;
  for (let i = 0; i < numSteps; i++) {
    state.position = advance(state.position, g.numSamples, spec.lanes);
  }
}

/** Every replica's optimizer slots, where replicas keep them. */
function keptTensors(
  before: TensorMap,
  vector: PeriodVector,
  numReplicas: number,
): [string, TensorData][] {
  if (!vector.hasKept) return [];
  return Array.from({ length: numReplicas }, (_, replica) => {
    const values = vector.keptOf(replica);
    let offset = 0;
    return optimizerSlots(before).map(
      ([
        name,
        {
          shape,
          values: { length },
        },
      ]): [string, TensorData] => {
        const part = values.slice(offset, (offset += length));
        return [keptName(replica, name), { shape, values: part }];
      },
    );
  }).flat();
}
