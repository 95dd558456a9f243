import type { EvaluationResult } from '@skipring/protocol';
import { TrainerError } from './errors.js';
import type { Generation } from './generation.js';
import type { Scores } from './state.js';
import { gatherWorst, WorstSamples } from './worst-samples.js';

/** A loss sum is cut into limbs of 20 bits, so that those of 2^10 ranks add up in an int32. */
const LIMB = 2 ** 20;
const NUM_LIMBS = 3;

/**
 * Evaluates the model on the test split, batch `i` on rank `i % worldSize`, and sums the counts:
 * integers, so the result does not depend on the number of ranks.
 */
export async function evaluate(g: Generation): Promise<EvaluationResult> {
  const { numClasses, collective, state } = g;
  const cells = numClasses * numClasses;
  const bytes = (cells + 2 + NUM_LIMBS) * Int32Array.BYTES_PER_ELEMENT;
  const counts = new Int32Array(new SharedArrayBuffer(bytes));
  const own = await evaluateOwn(g, counts.subarray(0, cells));
  counts.set([own.samples, Number.isSafeInteger(own.lossSum) ? 0 : 1], cells);
  counts.set(toLimbs(own.lossSum), cells + 2);
  await collective.allReduce(counts, g.deadlineMs);

  const [samples = 0, bad, ...limbs] = counts.subarray(cells);
  const { step, epoch } = evaluatedAt(g);
  if (bad) {
    const message = `step ${step}: the loss on the test split is not finite; expected a number`;
    throw new TrainerError('NON_FINITE_LOSS', message, true);
  }
  const confusion = Array.from({ length: numClasses }, (_, row) =>
    Array.from(counts.subarray(row * numClasses, (row + 1) * numClasses)),
  );
  const correct = confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0);
  const loss = (fromLimbs(limbs) * 2 ** -state.engine.layout.lossScaleBits) / samples;
  const worst = await gatherWorst(collective, own.worst, g.deadlineMs);
  return { step, epoch, loss, accuracy: correct / samples, samples, confusion, worst };
}

/** Adds this rank's batches into `confusion`, shape [numClasses * numClasses]. */
async function evaluateOwn(
  { collective, batches, state, signal, clock, onPhase }: Generation,
  confusion: Int32Array,
): Promise<{ lossSum: number; samples: number; worst: WorstSamples }> {
  const worst = new WorstSamples();
  let lossSum = 0;
  let samples = 0;
  // Also of a rank that has no batch: a small test split is one batch.
  await onPhase('evaluation', state.position.step);
  for (let i = collective.rank; i < batches.numEvaluationBatches; i += collective.worldSize) {
    signal.throwIfAborted();
    const batch = await batches.evaluation(i);
    const found = state.engine.evaluate(batch);
    worst.observe(i * batches.evaluationBatchSize, batch.labels, found);
    found.confusion.forEach((count, cell) => (confusion[cell] = (confusion[cell] ?? 0) + count));
    lossSum += found.lossSum;
    samples += found.samples;
    await clock.turn();
  }
  return { lossSum, samples, worst };
}

/** The last epoch that ended, or, where the job ends in the middle of one, that one. */
function evaluatedAt({ state, totalSteps }: Generation): { step: number; epoch: number } {
  const { step, epoch, cursor } = state.position;
  const isWithin = cursor > 0 && step === totalSteps;
  return { step, epoch: isWithin ? epoch : Math.max(0, epoch - 1) };
}

function toLimbs(value: number): number[] {
  return Array.from({ length: NUM_LIMBS }, (_, i) => Math.floor(value / LIMB ** i) % LIMB);
}

function fromLimbs(limbs: readonly number[]): number {
  return limbs.reduce((sum, limb, i) => sum + limb * LIMB ** i, 0);
}

/** Adds an evaluation's accuracy to what is known; the first of equal ones stays the best. */
export function withScore({ best }: Scores, { step, accuracy }: EvaluationResult): Scores {
  const last = { step, accuracy };
  return { last, best: best === null || accuracy > best.accuracy ? last : best };
}
