import { samplesInStep, stepInEpoch } from '@skipring/data';
import type { Position } from '@skipring/protocol';
import { addLanes } from '../add-lanes.js';
import { MAX_EXPONENT, nextExponents } from '../exponents.js';
import type { Generation } from '../generation.js';
import { backOff } from '../overflow.js';
import { inspect, readOverflow, readSums, refuseNonFinite } from '../reduced-vector.js';
import type { StepSums } from '../reduced-vector.js';
import type { Stopwatch } from '../stopwatch.js';
import { restRanges, type CompressedSlot } from './compressed-slots.js';
import type { Compressed, Compressor, LaneDelta } from './compressor.js';
import type { LaneErrors } from './lane-errors.js';
import { sumWordsOver } from './sum-words.js';

/** Where a step stands in its period. */
export interface StepPlace {
  readonly position: Position;
  /** Fixed-point exponents of the lanes' gradients, shape [numSlots]. */
  readonly exponents: Int32Array;
  readonly slots: readonly CompressedSlot[];
  readonly errors: LaneErrors;
  /** Of the period: it is sent whole. */
  readonly isLast: boolean;
}

export interface CompressedStep {
  /** Over all lanes. */
  readonly sums: StepSums;
  /** Samples that this rank computed. */
  readonly samples: number;
  readonly numRepeats: number;
  /** Of the next step's gradients, shape [numSlots]. */
  readonly nextExponents: Int32Array;
}

/**
 * Computes this rank's lanes of a step, sums them with those of the others, compressed, and applies
 * the sum to the engine. What was left out is kept in `errors`. A step in which a gradient overflowed
 * is repeated with smaller exponents, equally on every rank.
 *
 * @throws TrainerError NON_FINITE_GRADIENT or EXPONENT_EXHAUSTED
 */
export async function compressedStep(
  g: Generation,
  place: StepPlace,
  compress: Compressor,
  watch: Stopwatch,
): Promise<CompressedStep> {
  const { engine } = g.state;
  const { position, slots, errors, isLast } = place;
  const { step } = position;
  const fullSamples = g.spec.lanes.count * g.spec.lanes.size;
  const share = samplesInStep(position, g.numSamples, g.spec.lanes) / fullSamples;
  let { exponents } = place;
  for (let numRepeats = 0; ; numRepeats++) {
    const own = await computeLanes(g, { ...place, exponents }, share, watch);
    const compressed = await watch.time('ringMs', async () => {
      await g.onPhase('reduce', step + 1);
      return compress(own.deltas, own.rest, sumWordsOver(g.collective, g.deadlineMs));
    });
    const applied = compose(g, slots, compressed, exponents);
    refuseNonFinite(g.vector, engine.layout, step + 1, own.badLane === null ? [] : [own.badLane]);
    const overflow = readOverflow(g.vector, engine.layout);
    if (overflow !== null) {
      exponents = backOff(g.state, step, exponents, overflow);
      continue;
    }
    compressed.accept();
    own.deltas.forEach((delta, i) => {
      errors.keep(delta, compressed.sent[i] ?? [], share);
    });
    const sums = readSums(g.vector, engine.layout);
    await watch.time('applyMs', async () => {
      await g.onPhase('apply', step + 1);
      const totalWeight = sums.samples / g.spec.lanes.size;
      const scalars = { learningRate: g.schedule(step), step: step + 1, totalWeight };
      engine.apply(g.vector, { ...scalars, exponents: applied });
    });
    const { maxima } = inspect(g.vector, engine.layout);
    const next = nextExponents(applied, maxima, g.spec.lanes.count);
    // A compressed sum says too little about the lanes' gradients to let them grow by.
    if (!isLast) for (const { index } of slots) next[index] = exponents[index] ?? 0;
    return { sums, samples: own.samples, numRepeats, nextExponents: next };
  }
}

interface OwnLanes {
  readonly deltas: readonly LaneDelta[];
  /** What is not compressed, summed over the lanes. */
  readonly rest: Int32Array;
  readonly badLane: number | null;
  readonly samples: number;
}

async function computeLanes(
  g: Generation,
  { position, exponents, slots, errors }: StepPlace,
  share: number,
  watch: Stopwatch,
): Promise<OwnLanes> {
  const { layout } = g.state.engine;
  const stepOfEpoch = stepInEpoch(position, g.numSamples, g.spec.lanes);
  g.batches.seek({ epoch: position.epoch, stepInEpoch: stepOfEpoch }, g.lanes);
  const ranges = restRanges(layout, slots);
  const rest = new Int32Array(ranges.reduce((sum, { begin, end }) => sum + end - begin, 0));
  const deltas: LaneDelta[] = [];
  let badLane: number | null = null;
  let samples = 0;
  for (const lane of g.lanes) {
    const work = { lanes: [lane], step: position.step, exponents };
    const added = await addLanes(g, g.vector, work, watch);
    badLane ??= added.badLane;
    samples += added.samples;
    let at = 0;
    for (const { begin, end } of ranges) {
      for (let i = begin; i < end; i++, at++) rest[at] = (rest[at] ?? 0) + (g.vector[i] ?? 0);
    }
    const gradient = slots.map((slot) => dequantised(g.vector, slot, exponents[slot.index] ?? 0));
    deltas.push(errors.plus(lane, gradient, share));
  }
  return { deltas, rest, badLane, samples };
}

function dequantised(
  vector: Int32Array | Float32Array,
  { offset, length }: CompressedSlot,
  exponent: number,
): Float32Array {
  const scale = 2 ** -exponent;
  const values = new Float32Array(length);
  // Not `from` with a function, which takes fifty times as long.
  for (let i = 0; i < length; i++) values[i] = (vector[offset + i] ?? 0) * scale;
  return values;
}

/** Bits of the largest magnitude of a sum that is applied. */
const APPLIED_BITS = 30;

/**
 * Puts the sum in the generation's vector as the engine takes it.
 * @returns the exponent of each slot, shape [numSlots]
 */
function compose(
  { vector, state: { engine } }: Generation,
  slots: readonly CompressedSlot[],
  { sums, rest }: Compressed,
  exponents: Int32Array,
): Int32Array {
  let at = 0;
  for (const { begin, end } of restRanges(engine.layout, slots)) {
    vector.set(rest.subarray(at, (at += end - begin)), begin);
  }
  const applied = exponents.slice();
  slots.forEach(({ index, offset }, i) => {
    const values = sums[i] ?? new Float64Array();
    const { length } = values;
    let largest = 0;
    for (let j = 0; j < length; j++) largest = Math.max(largest, Math.abs(values[j] ?? 0));
    if (largest > 0) {
      const bits = Math.floor(Math.log2(largest)) + 1;
      applied[index] = Math.min(MAX_EXPONENT, APPLIED_BITS - bits);
    }
    const scale = 2 ** (applied[index] ?? 0);
    for (let j = 0; j < length; j++) vector[offset + j] = Math.round((values[j] ?? 0) * scale);
  });
  return applied;
}
