import type { Fence } from './control.js';

/**
 * A ring frame is one binary WebSocket message with this header. After that of a `data` or `abort` frame
 * comes, unless the payload is empty, one binary message with the payload alone: so a payload is sent
 * without a copy and read straight into place. The payload of a `slot` frame lies in the next of the slots
 * that both ranks share; a `taken` frame, in the other direction, says how many slots have been read.
 *
 * | byte | type   | field                                                              |
 * |------|--------|--------------------------------------------------------------------|
 * | 0    | uint32 | magic, "SKRF" in memory order                                      |
 * | 4    | uint16 | version                                                            |
 * | 6    | uint8  | kind: 1 + index in `ringFrameKinds`                                |
 * | 7    | uint8  | operation: 0 none, else 1 + index in `ringOperations`              |
 * | 8    | uint32 | attempt                                                            |
 * | 12   | uint32 | generation                                                         |
 * | 16   | uint32 | rank of the sender                                                 |
 * | 20   | uint32 | sequence: number of the collective in this generation; in `taken`  |
 * |      |        | the number of slots read so far, modulo 2^32                       |
 * | 24   | uint32 | segment: number of the segment on this link in this collective     |
 * | 28   | uint32 | payload bytes                                                      |
 * | 32   | uint32 | checksum of the payload: `digest` of libs/collective               |
 * | 36   | uint32 | CRC-32 of bytes 0 to 35                                            |
 *
 * All little endian. The header has a checksum of its own, so that a damaged one never says where a
 * payload goes. The job is named once, when the socket is opened.
 */
export const RING_FRAME_HEADER_BYTES = 40;
export const RING_FRAME_VERSION = 2;
/** Path of the WebSocket on which the next rank fetches this rank's frames. */
export const RING_PATH = '/ring';

const MAGIC = 0x46524b53;
const CRC_OFFSET = 36;

export const ringOperations = [
  'reduceScatter',
  'allGather',
  'allReduce',
  'broadcast',
  'barrier',
  'gather',
] as const;
/** Which collective a data frame belongs to; ranks that disagree are caught by it. */
export type RingOperation = (typeof ringOperations)[number];

export const ringFrameKinds = ['data', 'abort', 'slot', 'taken'] as const;
export type RingFrameKind = (typeof ringFrameKinds)[number];

export interface RingFrameHeader {
  readonly kind: RingFrameKind;
  /** Null in frames that belong to no collective: `abort` and `taken`. */
  readonly operation: RingOperation | null;
  readonly attempt: Fence['attempt'];
  readonly generation: Fence['generation'];
  /** Rank of the sender. */
  readonly rank: number;
  readonly sequence: number;
  readonly segment: number;
  readonly payloadBytes: number;
  /** Of the payload. */
  readonly checksum: number;
}

/** CRC-32 (ISO 3309) continued from `seed`, as `crc32` of `node:zlib`. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** A header that is not of this protocol, or damaged. */
export class RingFrameError extends Error {
  override readonly name = 'RingFrameError';

  constructor(
    readonly code: 'RING_FRAME_INVALID' | 'RING_FRAME_CHECKSUM',
    message: string,
  ) {
    super(message);
  }
}

/** The bytes of a header, RING_FRAME_HEADER_BYTES long. */
export function encodeRingFrameHeader(
  header: RingFrameHeader,
  crc32: Crc32,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(RING_FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, RING_FRAME_VERSION, true);
  view.setUint8(6, 1 + ringFrameKinds.indexOf(header.kind));
  view.setUint8(7, header.operation === null ? 0 : 1 + ringOperations.indexOf(header.operation));
  view.setUint32(8, header.attempt, true);
  view.setUint32(12, header.generation, true);
  view.setUint32(16, header.rank, true);
  view.setUint32(20, header.sequence, true);
  view.setUint32(24, header.segment, true);
  view.setUint32(28, header.payloadBytes, true);
  view.setUint32(32, header.checksum, true);
  view.setUint32(CRC_OFFSET, crc32(bytes.subarray(0, CRC_OFFSET)), true);
  return bytes;
}

/**
 * Reads a header. The caller checks fence, length and the payload's checksum.
 * @throws RingFrameError naming the field that is wrong.
 */
export function decodeRingFrameHeader(bytes: Uint8Array, crc32: Crc32): RingFrameHeader {
  expectField('header bytes', bytes.byteLength, RING_FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  expectField('magic', view.getUint32(0, true), MAGIC);
  expectField('version', view.getUint16(4, true), RING_FRAME_VERSION);
  const crc = crc32(bytes.subarray(0, CRC_OFFSET));
  if (view.getUint32(CRC_OFFSET, true) !== crc) {
    throw new RingFrameError(
      'RING_FRAME_CHECKSUM',
      `ring frame: CRC-32 is ${view.getUint32(CRC_OFFSET, true)}, but its bytes have ${crc}`,
    );
  }
  const kind = ringFrameKinds[view.getUint8(6) - 1];
  if (kind === undefined) {
    throw new RingFrameError(
      'RING_FRAME_INVALID',
      `ring frame: kind is ${view.getUint8(6)}, expected 1 to ${ringFrameKinds.length}`,
    );
  }
  const operationCode = view.getUint8(7);
  const operation = ringOperations[operationCode - 1] ?? null;
  const belongs = kind === 'data' || kind === 'slot';
  if ((operation !== null) !== belongs || (operation === null && operationCode !== 0)) {
    throw new RingFrameError(
      'RING_FRAME_INVALID',
      `ring frame: operation is ${operationCode}, expected ` +
        (belongs ? `1 to ${ringOperations.length}` : '0') +
        ` in a frame of kind ${kind}`,
    );
  }
  return {
    kind,
    operation,
    attempt: view.getUint32(8, true),
    generation: view.getUint32(12, true),
    rank: view.getUint32(16, true),
    sequence: view.getUint32(20, true),
    segment: view.getUint32(24, true),
    payloadBytes: view.getUint32(28, true),
    checksum: view.getUint32(32, true),
  };
}

function expectField(field: string, value: number, expected: number): void {
  if (value !== expected) {
    throw new RingFrameError(
      'RING_FRAME_INVALID',
      `ring frame: ${field} is ${value}, expected ${expected}`,
    );
  }
}
