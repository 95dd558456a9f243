import { BLOCK_BYTES, SharedMemory, WORK_A } from './wasm/shared-memory.js';

/**
 * Checksum of a segment, an unsigned 32-bit number; a byte array may lie anywhere.
 *
 * Per block of 64 KiB: the 32-bit little-endian words of the whole 32-byte groups go to eight lanes
 * by position, each of which keeps the sum of its words and the sum of those sums (Fletcher, 1982)
 * in 64 bits; bytes after the last group are summed likewise one by one. Neither sum can overflow,
 * so any damage to one or two words, and any two swapped, changes it. The sums are then
 * mixed to 32 bits, starting from the checksum of the block before, which leaves a chance of 2^-32
 * that damage goes unseen. Several times the speed of CRC-32.
 *
 * @param before the digest of what comes before `bytes`, which is whole blocks
 */
export function digest(bytes: Uint8Array, before = 0): number {
  const memory = SharedMemory.holding(bytes.buffer);
  const { kernels, buffer } = memory ?? SharedMemory.common();
  const work = new Uint8Array(buffer, WORK_A, BLOCK_BYTES);
  let hash = before;
  for (let begin = 0; begin < bytes.byteLength; begin += BLOCK_BYTES) {
    const numBytes = Math.min(BLOCK_BYTES, bytes.byteLength - begin);
    if (memory === null) {
      work.set(bytes.subarray(begin, begin + numBytes));
      hash = kernels.digest(WORK_A, numBytes, hash);
    } else {
      hash = kernels.digest(bytes.byteOffset + begin, numBytes, hash);
    }
  }
  return hash >>> 0;
}
