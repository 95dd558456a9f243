import type { ScoredSample } from '@skipring/protocol';
import type { EvaluationCounts } from './engine.js';
import { gather } from './gather.js';
import type { Collective } from './ports.js';

/** Samples that an evaluation names. */
export const NUM_WORST = 24;
/** Sample, label, predicted class, and the bits of the loss. */
const NUM_WORDS = 4;
const NONE = -1;

/** The samples of the greatest loss among those observed. */
export class WorstSamples {
  private found: ScoredSample[] = [];

  get all(): readonly ScoredSample[] {
    return this.found;
  }

  /** @param firstSample index in the split of the batch's first sample */
  observe(
    firstSample: number,
    labels: Int32Array,
    { losses, predicted }: Pick<EvaluationCounts, 'losses' | 'predicted'>,
  ): void {
    const batch = Array.from(losses, (loss, i) => ({
      sample: firstSample + i,
      label: labels[i] ?? 0,
      predicted: predicted[i] ?? 0,
      loss,
    }));
    this.found = worstOf([...this.found, ...batch]);
  }
}

/** The worst samples of all ranks, the same on each of them and on any number of ranks. */
export async function gatherWorst(
  collective: Collective,
  own: WorstSamples,
  deadlineMs: number,
): Promise<ScoredSample[]> {
  const words = new Int32Array(NUM_WORST * NUM_WORDS).fill(NONE);
  const bits = new Float32Array(words.buffer);
  own.all.forEach(({ sample, label, predicted, loss }, i) => {
    words.set([sample, label, predicted], i * NUM_WORDS);
    bits[i * NUM_WORDS + 3] = loss;
  });
  const rows = await gather(collective, [...words], deadlineMs);
  return worstOf(rows.flatMap(decode));
}

function decode(words: Int32Array): ScoredSample[] {
  const bits = new Float32Array(words.buffer, words.byteOffset, words.length);
  return Array.from({ length: NUM_WORST }, (_, i) => {
    const [sample = NONE, label = 0, predicted = 0] = words.subarray(i * NUM_WORDS);
    return { sample, label, predicted, loss: bits[i * NUM_WORDS + 3] ?? 0 };
  }).filter(({ sample }) => sample !== NONE);
}

/** Greatest loss first; of equal ones, the lower index. */
function worstOf(samples: readonly ScoredSample[]): ScoredSample[] {
  return samples.toSorted((a, b) => b.loss - a.loss || a.sample - b.sample).slice(0, NUM_WORST);
}
