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

const BLOCK_FLOATS = BLOCK_BYTES / 4;
/** Spreads the seeds of neighbouring calls (2^32 divided by the golden ratio, odd). */
const SEED_MULTIPLIER = 0x9e3779b1;

/** Rounds `floats` in place to values that a bfloat16 holds, and writes those to `packed`. */
export function packBfloat16(
  floats: Float32Array,
  packed: Uint8Array,
  rounding: Rounding = { mode: 'nearest' },
): void {
  const isNearest = rounding.mode === 'nearest';
  const seed = isNearest ? 0 : Math.imul(rounding.seed, SEED_MULTIPLIER);
  convert(isNearest ? 'packNearest' : 'packStochastic', floats, packed, seed);
}

const UNPACK = { set: 'unpackSet', sum: 'unpackSum', max: 'unpackMax' } as const;

/** Puts bfloat16 values in place of `floats`, adds them, or keeps the larger ones. */
export function unpackBfloat16(
  floats: Float32Array,
  packed: Uint8Array,
  combine: keyof typeof UNPACK,
): void {
  convert(UNPACK[combine], floats, packed, 0);
}

type ConvertKernel = Extract<keyof Kernels, `pack${string}` | `unpack${string}`>;

/** Block by block; where the floats lie in a `SharedMemory`, whole groups of them stay in place. */
function convert(
  kernel: ConvertKernel,
  floats: Float32Array,
  packed: Uint8Array,
  seed: number,
): void {
  const home = SharedMemory.holding(floats.buffer);
  const memory = home ?? SharedMemory.common();
  const run = memory.kernels[kernel];
  const workFloats = new Float32Array(memory.buffer, WORK_A, BLOCK_FLOATS);
  const workPacked = new Uint8Array(memory.buffer, WORK_B, 2 * BLOCK_FLOATS);
  const isPacking = kernel.startsWith('pack');
  const numWhole = floats.length - (floats.length % BFLOAT16_GROUP);
  for (let begin = 0; begin < floats.length;) {
    // What is left over after the last whole group is padded to one, outside of its place.
    const isInPlace = home !== null && begin < numWhole;
    const end = Math.min(begin + BLOCK_FLOATS, begin < numWhole ? numWhole : floats.length);
    const part = floats.subarray(begin, end);
    const count = BFLOAT16_GROUP * Math.ceil(part.length / BFLOAT16_GROUP);
    const packedPart = packed.subarray(2 * begin, 2 * end);
    if (!isInPlace) workFloats.set(part);
    if (!isPacking) workPacked.set(packedPart);
    run(isInPlace ? part.byteOffset : WORK_A, WORK_B, count, seed + begin);
    if (!isInPlace) part.set(workFloats.subarray(0, part.length));
    if (isPacking) packedPart.set(workPacked.subarray(0, packedPart.length));
    begin = end;
  }
}
