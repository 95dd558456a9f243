import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  decodeRingFrameHeader,
  encodeRingFrameHeader,
  RING_FRAME_HEADER_BYTES,
  RingFrameError,
  ringFrameChecksum,
  ringOperations,
} from './ring-frame.js';

const header = {
  kind: 'data',
  operation: 'allReduce',
  attempt: 3,
  generation: 0xffffffff,
  rank: 7,
  sequence: 41,
  segment: 0x80000001,
} as const;
const payload = Uint8Array.from([1, 2, 3, 4, 5]);

describe('ring frame header', () => {
  it('comes back as it was written', () => {
    for (const operation of ringOperations) {
      const bytes = encodeRingFrameHeader({ ...header, operation }, payload, crc32);
      expect(bytes.byteLength).toBe(RING_FRAME_HEADER_BYTES);
      expect(decodeRingFrameHeader(bytes)).toEqual({
        ...header,
        operation,
        payloadBytes: 5,
        checksum: ringFrameChecksum(bytes, payload, crc32),
      });
    }
  });

  it('keeps its layout: a change of bytes is a change of version', () => {
    const bytes = encodeRingFrameHeader(header, payload, crc32);
    expect(Buffer.from(bytes.subarray(0, 36)).toString('hex')).toBe(
      '534b524601000103' +
        '03000000ffffffff' +
        '0700000029000000' +
        '0100008005000000' +
        '00000000',
    );
  });

  it('has a checksum that any flipped bit of header or payload changes', () => {
    const bytes = encodeRingFrameHeader(header, payload, crc32);
    const { checksum } = decodeRingFrameHeader(bytes);
    for (let bit = 0; bit < 36 * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(ringFrameChecksum(flipped, payload, crc32)).not.toBe(checksum);
    }
    for (let bit = 0; bit < payload.byteLength * 8; bit++) {
      const flipped = payload.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(ringFrameChecksum(bytes, flipped, crc32)).not.toBe(checksum);
    }
  });

  it.each([
    ['header bytes', (b: Uint8Array) => b.subarray(1)],
    ['magic', (b: Uint8Array) => b.fill(0, 0, 1)],
    ['version', (b: Uint8Array) => b.fill(9, 4, 5)],
    ['kind', (b: Uint8Array) => b.fill(3, 6, 7)],
    ['operation', (b: Uint8Array) => b.fill(0, 7, 8)],
    ['operation', (b: Uint8Array) => b.fill(6, 7, 8)],
    ['operation', (b: Uint8Array) => b.fill(2, 6, 7)],
    ['reserved', (b: Uint8Array) => b.fill(1, 32, 33)],
  ])('refuses a wrong %s by name', (field, damage) => {
    const bytes = damage(encodeRingFrameHeader(header, payload, crc32));
    expect(() => decodeRingFrameHeader(bytes)).toThrow(RingFrameError);
    expect(() => decodeRingFrameHeader(bytes)).toThrow(`ring frame: ${field} is`);
  });
});
