import { crc32 } from 'node:zlib';
import { digest, type SegmentKey } from '@skipring/collective';
import {
  encodeRingFrameHeader,
  RING_FRAME_HEADER_BYTES,
  type Fence,
  type RingFrameKind,
  type RingOperation,
} from '@skipring/protocol';
import { MAX_FRAME_HEADER_BYTES, OPCODE, writeFrameHeader } from './rfc6455.js';

export interface FrameSource {
  readonly fence: Fence;
  readonly rank: number;
}

/** The header of a ring frame, for one message of its own. */
export function ringHeader(
  { fence, rank }: FrameSource,
  kind: RingFrameKind,
  key: Omit<SegmentKey, 'operation'> & { operation: RingOperation | null },
  payload: Uint8Array,
  checksum = digest(payload),
): Uint8Array<ArrayBuffer> {
  const { attempt, generation } = fence;
  const { operation, sequence, segment } = key;
  const { byteLength: payloadBytes } = payload;
  return encodeRingFrameHeader(
    {
      kind,
      operation,
      attempt,
      generation,
      rank,
      sequence,
      segment,
      payloadBytes,
      checksum,
    },
    crc32,
  );
}

/**
 * All that goes before the payload on an unmasked stream: the header's message, and the WebSocket
 * header of the payload's message, unless that is empty.
 */
export function streamPrefix(header: Uint8Array, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(RING_FRAME_HEADER_BYTES + 2 * MAX_FRAME_HEADER_BYTES);
  let end = writeFrameHeader(bytes, OPCODE.binary, header.byteLength);
  bytes.set(header, end);
  end += header.byteLength;
  if (payloadBytes > 0) end += writeFrameHeader(bytes.subarray(end), OPCODE.binary, payloadBytes);
  return bytes.subarray(0, end);
}
