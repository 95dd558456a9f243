import { optimizerSlots } from '../auxiliary.js';
import type { TensorMap } from '../engine.js';
import type { StepSums } from '../reduced-vector.js';

const WORDS_PER_STEP = 3;
/** Fractional bits of a loss sum. */
const LOSS_SCALE_BITS = 16;

/**
 * What ranks add up at the end of a period, int32, in shared memory:
 *
 *     [ changes, by tensor | loss, correct, samples of each step | optimizer slots, by replica ]
 *
 * The slots are there where replicas keep theirs, as the bits of float32: each replica's are zero on
 * all ranks but its own, so that the sum is they.
 */
export class PeriodVector {
  readonly words: Int32Array;
  /** Shape [sum of the tensors' sizes]. */
  readonly changes: Int32Array;
  private readonly offsets: readonly number[];
  private readonly steps: Int32Array;
  private readonly kept: Int32Array;
  private readonly numKept: number;

  constructor(
    tensors: TensorMap,
    names: readonly string[],
    numSteps: number,
    { numReplicas, keepsSlots }: { readonly numReplicas: number; readonly keepsSlots: boolean },
  ) {
    const offsets = [0];
    for (const name of names) {
      offsets.push((offsets.at(-1) ?? 0) + (tensors.get(name)?.values.length ?? 0));
    }
    this.offsets = offsets;
    const numChanges = offsets.at(-1) ?? 0;
    this.numKept = keepsSlots ? sizeOf(optimizerSlots(tensors).map(([, tensor]) => tensor)) : 0;
    const numWords = numSteps * WORDS_PER_STEP;
    const length = numChanges + numWords + numReplicas * this.numKept;
    this.words = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
    this.changes = this.words.subarray(0, numChanges);
    this.steps = this.words.subarray(numChanges, numChanges + numWords);
    this.kept = this.words.subarray(numChanges + numWords);
  }

  get hasKept(): boolean {
    return this.numKept > 0;
  }

  /** Sums of each step; each of less than 32,768 a loss. */
  get sums(): StepSums[] {
    const numSteps = this.steps.length / WORDS_PER_STEP;
    return Array.from({ length: numSteps }, (_, step) => {
      const [loss = 0, correct = 0, samples = 0] = this.steps.subarray(step * WORDS_PER_STEP);
      return { loss: loss * 2 ** -LOSS_SCALE_BITS, correct, samples };
    });
  }

  addSums(sums: readonly StepSums[]): void {
    sums.forEach(({ loss, correct, samples }, step) => {
      const words = [Math.round(loss * 2 ** LOSS_SCALE_BITS), correct, samples];
      words.forEach((word, index) => {
        const at = step * WORDS_PER_STEP + index;
        this.steps[at] = (this.steps[at] ?? 0) + word;
      });
    });
  }

  /** Summed changes of the tensor with this index among the names. */
  changeOf(index: number): Int32Array {
    return this.changes.subarray(this.offsets[index], this.offsets[index + 1]);
  }

  /** Keeps a replica's optimizer slots, where there is room for them. */
  putKept(replica: number, tensors: TensorMap): void {
    if (!this.hasKept) return;
    let offset = replica * this.numKept;
    for (const [, { values }] of optimizerSlots(tensors)) {
      const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
      this.kept.set(bits, offset);
      offset += values.length;
    }
  }

  /** A replica's optimizer slots one behind the other, float32; a copy. */
  keptOf(replica: number): Float32Array {
    const bits = this.kept.slice(replica * this.numKept, (replica + 1) * this.numKept);
    return Float32Array.from(new Float32Array(bits.buffer));
  }
}

function sizeOf(tensors: readonly { readonly values: Float32Array }[]): number {
  return tensors.reduce((sum, { values }) => sum + values.length, 0);
}
