import { describe, expect, it } from 'vitest';
import { digest } from './digest.js';
import { seededUint32 } from './testing/vectors.js';
import { DIGEST_MULTIPLIER } from './wasm/kernel-module.js';
import { BLOCK_BYTES, SharedMemory } from './wasm/shared-memory.js';

/** The documented definition, word by word. */
function referenceDigest(bytes: Uint8Array): number {
  let hash = 0;
  for (let begin = 0; begin < bytes.byteLength; begin += BLOCK_BYTES) {
    hash = referenceBlock(bytes.subarray(begin, begin + BLOCK_BYTES), hash);
  }
  return hash;
}

function referenceBlock(block: Uint8Array, seed: number): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const grouped = block.byteLength - (block.byteLength % 32);
  const sums = [0n, 0n, 0n, 0n];
  const weighted = [0n, 0n, 0n, 0n];
  for (let at = 0; at < grouped; at += 4) {
    const lane = (at / 4) % 4;
    sums[lane]! += BigInt(view.getUint32(at, true));
    weighted[lane]! += sums[lane]!;
  }
  let sum = 0n;
  let weightedSum = 0n;
  for (const byte of block.subarray(grouped)) {
    sum += BigInt(byte);
    weightedSum += sum;
  }
  let hash = BigInt(seed);
  const mix = (value: bigint) => {
    hash = BigInt.asUintN(64, (hash ^ value) * DIGEST_MULTIPLIER);
    hash ^= hash >> 32n;
  };
  mix(BigInt(block.byteLength));
  for (const half of [0, 2]) {
    for (const sums4 of [sums, weighted]) {
      mix(sums4[half]!);
      mix(sums4[half + 1]!);
    }
  }
  mix(sum);
  mix(weightedSum);
  return Number(BigInt.asUintN(32, hash));
}

function randomBytes(length: number, seed: number): Uint8Array {
  const next = seededUint32(seed);
  return Uint8Array.from({ length }, () => next() & 255);
}

describe('digest', () => {
  it('is what its definition says, at any length and wherever the bytes lie', () => {
    const lengths = [0, 1, 3, 4, 15, 16, 31, 32, 33, 63, 64, 1_000, 65_536, 65_537, 200_003];
    const memory = SharedMemory.allocate(300_000);
    for (const length of lengths) {
      const bytes = randomBytes(length, length);
      const expected = referenceDigest(bytes);
      expect(digest(bytes)).toBe(expected);
      for (const shift of [0, 1, 8]) {
        const inMemory = new Uint8Array(memory.buffer, memory.dataOffset + shift, length);
        inMemory.set(bytes);
        expect(digest(inMemory)).toBe(expected);
      }
    }
  });

  it('changes with any one bit, and any two high bits of a lane', () => {
    const bytes = randomBytes(70, 1);
    const right = digest(bytes);
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(digest(bytes)).not.toBe(right);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    const long = randomBytes(1_024, 2);
    const rightLong = digest(long);
    for (let distance = 16; distance < 1_024; distance += 16) {
      long[3]! ^= 128;
      long[3 + distance]! ^= 128;
      expect(digest(long)).not.toBe(rightLong);
      long[3]! ^= 128;
      long[3 + distance]! ^= 128;
    }
  });

  it('changes when words, blocks or the length change', () => {
    const bytes = randomBytes(200_000, 3);
    const seen = new Set([digest(bytes)]);
    const variants = [
      Buffer.concat([bytes.subarray(16, 32), bytes.subarray(0, 16), bytes.subarray(32)]),
      Buffer.concat([
        bytes.subarray(65_536, 131_072),
        bytes.subarray(0, 65_536),
        bytes.subarray(131_072),
      ]),
      bytes.subarray(0, 199_999),
      Buffer.concat([bytes, Uint8Array.of(0)]),
      new Uint8Array(31),
      new Uint8Array(32),
      new Uint8Array(65_536),
    ];
    for (const variant of variants) seen.add(digest(variant));
    expect(seen.size).toBe(1 + variants.length);
  });
});
