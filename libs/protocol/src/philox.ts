/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random
 * Numbers: As Easy as 1, 2, 3" (SC 2011): any block of a stream is a pure function of its place,
 * so results depend on no order of calls and on no machine.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;
const MAX_STREAM_NUMBERS = 4;
const TWO_POW_32 = 2 ** 32;

/** High 32 bits of the 64-bit product of two uint32. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
}

/**
 * One block: four uint32 written to `out[0..3]`, from a counter of four uint32 (least significant
 * first) and a key of two.
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** A stream number or seed that is not a uint32, too many of them, or an impossible bound. */
export class PhiloxError extends RangeError {
  readonly code = 'PHILOX_ARGUMENT_INVALID';
  override readonly name = 'PhiloxError';
}

/**
 * The random numbers of one stream, named by a seed and up to four stream numbers, all uint32: two
 * streams with different names share no block. Absent stream numbers are zero. A stream holds 2^32
 * blocks of four words.
 * @throws PhiloxError when a number is not a uint32, or there are too many.
 */
export class PhiloxStream {
  private readonly key: readonly [number, number];
  private readonly counter: [number, number, number, number];
  private readonly block = new Uint32Array(4);
  /** Next word of `block`; 4 when it is used up. */
  private position = 4;
  private spareNormal: number | null = null;

  constructor(seed: number, ...stream: number[]) {
    if (stream.length > MAX_STREAM_NUMBERS) {
      throw new PhiloxError(
        `stream: ${stream.length} numbers, expected at most ${MAX_STREAM_NUMBERS}`,
      );
    }
    expectUint32('seed', seed);
    stream.forEach((number, index) => expectUint32(`stream[${index}]`, number));
    const [keyHigh = 0, second = 0, third = 0, fourth = 0] = stream;
    this.key = [seed, keyHigh];
    this.counter = [0, second, third, fourth];
  }

  /** Uniform on 0 to 2^32 - 1. */
  nextUint32(): number {
    if (this.position === 4) {
      philox4x32(this.counter, this.key, this.block);
      this.counter[0] = (this.counter[0] + 1) >>> 0;
      this.position = 0;
    }
    return this.block[this.position++]!;
  }

  /** Uniform on [0, 1), a multiple of 2^-24: exact as a float32. */
  nextFloat(): number {
    return (this.nextUint32() >>> 8) * 2 ** -24;
  }

  /**
   * An unbiased integer on 0 to `bound` - 1, for 1 <= bound <= 2^32: Lemire, "Fast Random Integer
   * Generation in an Interval" (ACM TOMACS 2019), algorithm 5.
   * @throws PhiloxError when the bound is not an integer in that range.
   */
  nextBelow(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_POW_32) {
      throw new PhiloxError(`bound: ${bound}, expected an integer from 1 to 2^32`);
    }
    if (bound === TWO_POW_32) return this.nextUint32();
    let word = this.nextUint32();
    let low = Math.imul(word, bound) >>> 0;
    if (low < bound) {
      const threshold = (TWO_POW_32 - bound) % bound;
      while (low < threshold) {
        word = this.nextUint32();
        low = Math.imul(word, bound) >>> 0;
      }
    }
    return multiplyHigh(word, bound);
  }

  /**
   * Standard normal, by the polar method of Marsaglia and Bray, "A Convenient Method for Generating
   * Normal Variables" (SIAM Review 1964). It needs no sine: sin and cos differ in their last bits
   * between versions of JavaScript engines.
   */
  nextNormal(): number {
    if (this.spareNormal !== null) {
      const spare = this.spareNormal;
      this.spareNormal = null;
      return spare;
    }
    for (;;) {
      const x = (2 * this.nextUint32() + 1) / TWO_POW_32 - 1;
      const y = (2 * this.nextUint32() + 1) / TWO_POW_32 - 1;
      const squared = x * x + y * y;
      if (squared < 1) {
        const scale = Math.sqrt((-2 * Math.log(squared)) / squared);
        this.spareNormal = y * scale;
        return x * scale;
      }
    }
  }
}

function expectUint32(field: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= TWO_POW_32) {
    throw new PhiloxError(`${field}: ${value}, expected an integer from 0 to 2^32 - 1`);
  }
}
