import type { Fence } from './control.js';

/**
 * A ring frame is one binary WebSocket message with this header, followed, unless the payload is
 * empty, by one binary message with the payload alone: so a payload starts at an allocation of its
 * own (8-byte aligned), is sent without a copy, and may be read straight into place.
 *
 * | byte | type   | field                                                              |
 * |------|--------|--------------------------------------------------------------------|
 * | 0    | uint32 | magic, "SKRF" in memory order                                      |
 * | 4    | uint16 | version                                                            |
 * | 6    | uint8  | kind: 1 data, 2 abort                                              |
 * | 7    | uint8  | operation: 0 none, else 1 + index in `ringOperations`              |
 * | 8    | uint32 | attempt                                                            |
 * | 12   | uint32 | generation                                                         |
 * | 16   | uint32 | rank of the sender                                                 |
 * | 20   | uint32 | sequence: number of the collective in this generation              |
 * | 24   | uint32 | segment: number of the segment on this link in this collective     |
 * | 28   | uint32 | payload bytes                                                      |
 * | 32   | uint32 | reserved, 0                                                        |
 * | 36   | uint32 | CRC-32 of bytes 0 to 35 followed by the payload                    |
 *
 * All little endian. The job is named once, when the socket is opened.
 */
export const RING_FRAME_HEADER_BYTES = 40;
export const RING_FRAME_VERSION = 1;
/** Path of the WebSocket on which the next rank fetches this rank's frames. */
export const RING_PATH = '/ring';

const MAGIC = 0x46524b53;
const CHECKSUM_OFFSET = 36;

export const ringOperations = [
  'reduceScatter',
  'allGather',
  'allReduce',
  'broadcast',
  'barrier',
] as const;
/** Which collective a data frame belongs to; ranks that disagree are caught by it. */
export type RingOperation = (typeof ringOperations)[number];

export interface RingFrameHeader {
  readonly kind: 'data' | 'abort';
  /** Null in an abort frame. */
  readonly operation: RingOperation | null;
  readonly attempt: Fence['attempt'];
  readonly generation: Fence['generation'];
  /** Rank of the sender. */
  readonly rank: number;
  readonly sequence: number;
  readonly segment: number;
  readonly payloadBytes: number;
  readonly checksum: number;
}

/** CRC-32 (ISO 3309) continued from `seed`, as `crc32` of `node:zlib`. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** A header that is not of this protocol. */
export class RingFrameError extends Error {
  readonly code = 'RING_FRAME_INVALID';
  override readonly name = 'RingFrameError';
}

/** Header and checksum of a frame, RING_FRAME_HEADER_BYTES long. */
export function encodeRingFrameHeader(
  header: Omit<RingFrameHeader, 'checksum' | 'payloadBytes'>,
  payload: Uint8Array,
  crc32: Crc32,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(RING_FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, RING_FRAME_VERSION, true);
  view.setUint8(6, header.kind === 'data' ? 1 : 2);
  view.setUint8(7, header.operation === null ? 0 : 1 + ringOperations.indexOf(header.operation));
  view.setUint32(8, header.attempt, true);
  view.setUint32(12, header.generation, true);
  view.setUint32(16, header.rank, true);
  view.setUint32(20, header.sequence, true);
  view.setUint32(24, header.segment, true);
  view.setUint32(28, payload.byteLength, true);
  view.setUint32(CHECKSUM_OFFSET, ringFrameChecksum(bytes, payload, crc32), true);
  return bytes;
}

/** The checksum that a frame with this header and payload must carry. */
export function ringFrameChecksum(header: Uint8Array, payload: Uint8Array, crc32: Crc32): number {
  const ofHeader = crc32(header.subarray(0, CHECKSUM_OFFSET));
  return payload.byteLength === 0 ? ofHeader : crc32(payload, ofHeader);
}

/**
 * Reads a header. The caller checks fence, length and checksum.
 * @throws RingFrameError naming the field that is wrong.
 */
export function decodeRingFrameHeader(bytes: Uint8Array): RingFrameHeader {
  expectField('header bytes', bytes.byteLength, RING_FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  expectField('magic', view.getUint32(0, true), MAGIC);
  expectField('version', view.getUint16(4, true), RING_FRAME_VERSION);
  expectField('reserved', view.getUint32(32, true), 0);
  const kind = view.getUint8(6);
  if (kind !== 1 && kind !== 2) {
    throw new RingFrameError(`ring frame: kind is ${kind}, expected 1 (data) or 2 (abort)`);
  }
  const operationCode = view.getUint8(7);
  const operation = ringOperations[operationCode - 1] ?? null;
  if ((operation === null) !== (kind === 2) || (operation === null && operationCode !== 0)) {
    throw new RingFrameError(
      `ring frame: operation is ${operationCode}, expected ` +
        (kind === 1 ? `1 to ${ringOperations.length} in a data frame` : '0 in an abort frame'),
    );
  }
  return {
    kind: kind === 1 ? 'data' : 'abort',
    operation,
    attempt: view.getUint32(8, true),
    generation: view.getUint32(12, true),
    rank: view.getUint32(16, true),
    sequence: view.getUint32(20, true),
    segment: view.getUint32(24, true),
    payloadBytes: view.getUint32(28, true),
    checksum: view.getUint32(CHECKSUM_OFFSET, true),
  };
}

function expectField(field: string, value: number, expected: number): void {
  if (value !== expected) {
    throw new RingFrameError(`ring frame: ${field} is ${value}, expected ${expected}`);
  }
}
