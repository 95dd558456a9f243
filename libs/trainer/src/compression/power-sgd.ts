import type { TensorData } from '../engine.js';
import type { CompressedSlot } from './compressed-slots.js';
import type { Compressed, Compressor } from './compressor.js';
import { rounded, sumExactly } from './exact-sum.js';
import { expand, multiply, multiplyTransposed, orthonormalise } from './matrix.js';

/** Right factors by slot, orthonormal columns, shape [columns, rank]: where the next step starts. */
export type Factors = readonly Float32Array[];

/** Room that a product of a gradient with unit vectors of this length needs, in bits. */
const growthBits = (length: number): number => Math.ceil(Math.log2(length) / 2);

/**
 * PowerSGD (Vogels et al. 2019, algorithm 1): one step of power iteration from the factors of the step
 * before. `P = M Q`, orthonormal columns of P, `Q = M^T P`, and `P Q^T` for the sum M of all lanes. Both
 * products are linear in M, so that lanes send theirs, and add up exactly.
 *
 * The factors are kept orthonormal here, which spans the same space as the paper's.
 */
export class PowerSgd {
  private factors: Float64Array[];
  private leftExponents: Int32Array;
  private rightExponents: Int32Array;

  /**
   * @param factors of the last commit
   * @param slotExponents fixed-point exponents of the gradients, shape [compressed slots]
   */
  constructor(
    private readonly slots: readonly CompressedSlot[],
    factors: Factors,
    slotExponents: Int32Array,
    private readonly numLanes: number,
  ) {
    this.factors = factors.map((factor) => Float64Array.from(factor));
    const less = (lengthOf: (slot: CompressedSlot) => number) =>
      slotExponents.map((exponent, index) => exponent - growthBits(lengthOf(slots[index]!)));
    this.leftExponents = less(({ columns }) => columns);
    this.rightExponents = less(({ rows }) => rows);
  }

  get currentFactors(): Factors {
    return this.factors.map((factor) => Float32Array.from(factor));
  }

  readonly compress: Compressor = async (lanes, rest, sumWords): Promise<Compressed> => {
    const { slots, numLanes } = this;
    const lefts = await sumExactly(
      lanes.map((lane) =>
        slots.map(({ columns, rank }, i) =>
          multiply(lane.slots[i]!, this.factors[i]!, columns, rank),
        ),
      ),
      slots.map(({ rows, rank }) => rows * rank),
      this.leftExponents,
      numLanes,
      new Int32Array(0),
      sumWords,
    );
    slots.forEach(({ rank }, i) => {
      orthonormalise(lefts.sums[i]!, rank);
    });
    const own = lanes.map((lane) =>
      slots.map(({ columns, rank }, i) =>
        multiplyTransposed(lane.slots[i]!, lefts.sums[i]!, columns, rank),
      ),
    );
    const sizes = slots.map(({ columns, rank }) => columns * rank);
    const rights = await sumExactly(own, sizes, this.rightExponents, numLanes, rest, sumWords);
    const sums = slots.map(({ rank }, i) => expand(lefts.sums[i]!, rights.sums[i]!, rank));
    const sent = own.map((tensors) =>
      tensors.map((values, i) => {
        const right = values.map((value) => rounded(value, rights.exponents[i]!));
        return expand(lefts.sums[i]!, right, slots[i]!.rank);
      }),
    );
    const accept = (): void => {
      this.leftExponents = lefts.nextExponents;
      this.rightExponents = rights.nextExponents;
      this.factors = slots.map(({ rank }, i) =>
        nextFactor(this.factors[i]!, rights.sums[i]!, rank),
      );
    };
    return { sums, sent, rest: rights.rest, accept };
  };
}

/** A column with no direction, as of a gradient of zeros, stays what it was: zero it would be for ever. */
function nextFactor(before: Float64Array, sum: Float64Array, rank: number): Float64Array {
  const next = sum.slice();
  orthonormalise(next, rank);
  for (let column = 0; column < rank; column++) {
    const isZero = next.every((value, i) => i % rank !== column || value === 0);
    if (!isZero) continue;
    for (let i = column; i < next.length; i += rank) next[i] = before[i]!;
  }
  // As they are stored: a job that goes on from a checkpoint has the same bits.
  return next.map(Math.fround);
}

/** Spreads indices over 32 bits (2^32 divided by the golden ratio, odd). */
const SPREAD = 0x9e3779b1;

/** The factors that a job starts with: values of a hash of the seed, made orthonormal. */
export function initialFactor(slot: CompressedSlot, seed: number): TensorData {
  const { columns, rank, index } = slot;
  const factor = Float64Array.from({ length: columns * rank }, (_, i) => {
    let hash = Math.imul(
      seed ^ Math.imul(index + 1, SPREAD) ^ Math.imul(i + 1, 0x85ebca6b),
      SPREAD,
    );
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >> 8) / 2 ** 23;
  });
  orthonormalise(factor, rank);
  return { shape: [columns, rank], values: Float32Array.from(factor) };
}
