import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  decodeRingFrameHeader,
  encodeRingFrameHeader,
  RING_FRAME_HEADER_BYTES,
  ringOperations,
  type RingFrameHeader,
} from './ring-frame.js';

const header: RingFrameHeader = {
  kind: 'data',
  operation: 'allReduce',
  attempt: 3,
  generation: 0xffffffff,
  rank: 7,
  sequence: 41,
  segment: 0x80000001,
  payloadBytes: 5,
  checksum: 0xdeadbeef,
};

/** `bytes` with a CRC-32 that is right for them. */
function sealed(bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer).setUint32(36, crc32(bytes.subarray(0, 36)), true);
  return bytes;
}

describe('ring frame header', () => {
  it('comes back as it was written', () => {
    for (const operation of ringOperations) {
      const bytes = encodeRingFrameHeader({ ...header, operation }, crc32);
      expect(bytes.byteLength).toBe(RING_FRAME_HEADER_BYTES);
      expect(decodeRingFrameHeader(bytes, crc32)).toEqual({ ...header, operation });
    }
  });

  it('keeps its layout: a change of bytes is a change of version', () => {
    const bytes = encodeRingFrameHeader(header, crc32);
    expect(Buffer.from(bytes.subarray(0, 36)).toString('hex')).toBe(
      '534b524602000103' +
        '03000000ffffffff' +
        '0700000029000000' +
        '0100008005000000' +
        'efbeadde',
    );
  });

  it('refuses a header with any bit flipped', () => {
    for (let bit = 0; bit < RING_FRAME_HEADER_BYTES * 8; bit++) {
      const bytes = encodeRingFrameHeader(header, crc32);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeRingFrameHeader(bytes, crc32)).toThrow(
        /ring frame: (magic|version|CRC-32) is/,
      );
    }
  });

  it.each([
    ['header bytes', (b: Uint8Array) => b.subarray(1)],
    ['magic', (b: Uint8Array) => sealed(b.fill(0, 0, 1))],
    ['version', (b: Uint8Array) => sealed(b.fill(9, 4, 5))],
    ['kind', (b: Uint8Array) => sealed(b.fill(5, 6, 7))],
    ['operation', (b: Uint8Array) => sealed(b.fill(0, 7, 8))],
    ['operation', (b: Uint8Array) => sealed(b.fill(7, 7, 8))],
    ['operation', (b: Uint8Array) => sealed(b.fill(2, 6, 7))],
    ['operation', (b: Uint8Array) => sealed(b.fill(4, 6, 7))],
  ])('refuses a wrong %s by name', (field, damage) => {
    const bytes = damage(encodeRingFrameHeader(header, crc32));
    expect(() => decodeRingFrameHeader(bytes, crc32)).toThrow(
      expect.objectContaining({
        name: 'RingFrameError',
        code: 'RING_FRAME_INVALID',
        message: expect.stringContaining(`ring frame: ${field} is`) as string,
      }),
    );
  });
});
