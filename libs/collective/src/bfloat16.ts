import { BFLOAT16_GROUP } from './wasm/bfloat16-kernels.js';
import { BLOCK_BYTES, SharedMemory, WORK_A, WORK_B, type Kernels } from './wasm/shared-memory.js';

/**
 * How a float32 becomes a bfloat16, its upper 16 bits: to the nearest, of two equally near the even
 * one; or `stochastic`, to one of the two around it, so that the mean over many is right.
 */
export type Rounding =
  | { readonly mode: 'nearest' }
  /** The same seed rounds the same values alike. */
  | { readonly mode: 'stochastic'; readonly seed: number };

/** Of a value. */
export const BFLOAT16_BYTES = 2;
const BLOCK_FLOATS = BLOCK_BYTES / 4;
/** Spreads the seeds of neighbouring calls (2^32 divided by the golden ratio, odd). */
const SEED_MULTIPLIER = 0x9e3779b1;

const seedOf = (rounding: Rounding): number =>
  rounding.mode === 'nearest' ? 0 : Math.imul(rounding.seed, SEED_MULTIPLIER);

/** Rounds `floats` in place to values that a bfloat16 holds, and writes those to `packed`. */
export function packBfloat16(
  floats: Float32Array,
  packed: Uint8Array,
  rounding: Rounding = { mode: 'nearest' },
): void {
  const kernel = rounding.mode === 'nearest' ? 'packNearest' : 'packStochastic';
  convert(kernel, floats, { packed, seed: seedOf(rounding), keepsFloats: true });
}

const UNPACK = { set: 'unpackSet', sum: 'unpackSum', max: 'unpackMax' } as const;

/** Puts bfloat16 values in place of `floats`, adds them, or keeps the larger ones. */
export function unpackBfloat16(
  floats: Float32Array,
  packed: Uint8Array,
  combine: keyof typeof UNPACK,
): void {
  convert(UNPACK[combine], floats, { addend: packed, keepsFloats: true });
}

/** Rounds `floats` into `packed`, which may be the first half of the same bytes. */
export function narrowBfloat16(floats: Float32Array, packed: Uint8Array, rounding: Rounding): void {
  const kernel = rounding.mode === 'nearest' ? 'narrowNearest' : 'narrowStochastic';
  convert(kernel, floats, { packed, seed: seedOf(rounding) });
}

const REDUCE = {
  sum: { nearest: 'reduceSumNearest', stochastic: 'reduceSumStochastic' },
  max: { nearest: 'reduceMaxNearest', stochastic: 'reduceMaxStochastic' },
} as const;
const FINISH = {
  sum: { nearest: 'finishSumNearest', stochastic: 'finishSumStochastic' },
  max: { nearest: 'finishMaxNearest', stochastic: 'finishMaxStochastic' },
} as const;

export interface Reduce {
  readonly packed: Uint8Array;
  /** Which elements of a vector `floats` begin with, for the seed: rounding does not depend on the cut. */
  readonly firstIndex: number;
  readonly reduction: keyof typeof REDUCE;
  readonly rounding: Rounding;
  /** `floats` become the rounded result too; `packed` is elsewhere then. */
  readonly keepsFloats: boolean;
}

/** The same with the combination of `floats` and of `addend`, which are bfloat16 values. */
export function reduceBfloat16(
  floats: Float32Array,
  addend: Uint8Array,
  { packed, firstIndex, reduction, rounding, keepsFloats }: Reduce,
): void {
  const seed = seedOf(rounding) + firstIndex;
  const kernels = keepsFloats ? FINISH : REDUCE;
  convert(kernels[reduction][rounding.mode], floats, { addend, packed, seed, keepsFloats });
}

/** What `narrowBfloat16` left in the first half of the bytes of `floats` becomes float32 again. */
export function widenBfloat16(floats: Float32Array): void {
  const home = SharedMemory.holding(floats.buffer);
  if (home === null) {
    widenFrom(0, floats);
    return;
  }
  const numWhole = floats.length - (floats.length % BFLOAT16_GROUP);
  widenFrom(numWhole, floats);
  const { byteOffset } = floats;
  home.kernels.widen(byteOffset + 4 * numWhole, byteOffset + 2 * numWhole, numWhole, 0, 0);
}

/** The same for the elements from `first` on, out of a copy. */
function widenFrom(first: number, floats: Float32Array): void {
  const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  // From the end: a block is written over packed values that were read before.
  for (let end = floats.length; end > first;) {
    const begin = Math.max(first, end - BLOCK_FLOATS);
    unpackBfloat16(floats.subarray(begin, end), bytes.slice(2 * begin, 2 * end), 'set');
    end = begin;
  }
}

type ConvertKernel = Extract<
  keyof Kernels,
  `pack${string}` | `unpack${string}` | `narrow${string}` | `reduce${string}` | `finish${string}`
>;

interface Conversion {
  /** Where bfloat16 values are read. */
  readonly addend?: Uint8Array;
  /** Where they are written. */
  readonly packed?: Uint8Array;
  readonly seed?: number;
  /** Whether the kernel writes floats. */
  readonly keepsFloats?: boolean;
}

/**
 * Block by block; where the floats lie in a `SharedMemory`, whole groups of them stay in place, and
 * so do bfloat16 values that lie in the same.
 */
function convert(
  kernel: ConvertKernel,
  floats: Float32Array,
  { addend, packed, seed = 0, keepsFloats = false }: Conversion,
): void {
  const home = SharedMemory.holding(floats.buffer);
  const memory = home ?? SharedMemory.common();
  const run = memory.kernels[kernel];
  const workFloats = new Float32Array(memory.buffer, WORK_A, BLOCK_FLOATS);
  const workAddend = new Uint8Array(memory.buffer, WORK_B, 2 * BLOCK_FLOATS);
  const workPacked = new Uint8Array(memory.buffer, WORK_B + 2 * BLOCK_FLOATS, 2 * BLOCK_FLOATS);
  const numWhole = floats.length - (floats.length % BFLOAT16_GROUP);
  for (let begin = 0; begin < floats.length;) {
    // What is left over after the last whole group is padded to one, outside of its place.
    const isWhole = begin < numWhole;
    const end = Math.min(begin + BLOCK_FLOATS, isWhole ? numWhole : floats.length);
    const part = floats.subarray(begin, end);
    const count = BFLOAT16_GROUP * Math.ceil(part.length / BFLOAT16_GROUP);
    const isHere = (bytes: Uint8Array | undefined) => isWhole && bytes?.buffer === memory.buffer;
    const isInPlace = isWhole && home !== null;
    const addendPart = addend?.subarray(2 * begin, 2 * end);
    const packedPart = packed?.subarray(2 * begin, 2 * end);
    if (!isInPlace) workFloats.set(part);
    if (addendPart !== undefined && !isHere(addend)) workAddend.set(addendPart);
    const addendAt = isHere(addend) && addendPart ? addendPart.byteOffset : WORK_B;
    const packedAt = isHere(packed) && packedPart ? packedPart.byteOffset : workPacked.byteOffset;
    const floatsAt = isInPlace ? part.byteOffset : WORK_A;
    if (packedPart === undefined) run(floatsAt, addendAt, count, 0, 0);
    else run(floatsAt, packedAt, count, seed + begin, addendAt);
    if (!isInPlace && keepsFloats) part.set(workFloats.subarray(0, part.length));
    if (packedPart !== undefined && !isHere(packed)) {
      packedPart.set(workPacked.subarray(0, packedPart.length));
    }
    begin = end;
  }
}
