import { createHash, randomBytes } from 'node:crypto';

/** RFC 6455, 5.2: what a frame is. */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

export const MAX_CONTROL_BYTES = 125;
/** A frame header without a masking key. */
export const MAX_FRAME_HEADER_BYTES = 10;

/** RFC 6455, 7.4.1: why a connection is closed. */
export const CLOSE_PROTOCOL_ERROR = 1002;
export const CLOSE_INVALID_DATA = 1007;
export const CLOSE_TOO_LARGE = 1009;
/** Never sent: no close frame had a code, or none came. */
export const CLOSE_NO_STATUS = 1005;
export const CLOSE_ABNORMAL = 1006;

/** What `Sec-WebSocket-Accept` must be. */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** Whether a peer may send this close code. */
export function isCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}

/** Writes the header of an unmasked final frame into `target`; returns its length in bytes. */
export function writeFrameHeader(target: Uint8Array, opcode: number, numBytes: number): number {
  target[0] = 0x80 | opcode;
  if (numBytes < 126) {
    target[1] = numBytes;
    return 2;
  }
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  if (numBytes < 65_536) {
    target[1] = 126;
    view.setUint16(2, numBytes);
    return 4;
  }
  target[1] = 127;
  view.setBigUint64(2, BigInt(numBytes));
  return 10;
}

/** A final frame as a client must send it: masked. For small payloads: it copies. */
export function maskedFrame(opcode: number, payload: Uint8Array): Buffer {
  const header = new Uint8Array(MAX_FRAME_HEADER_BYTES);
  const headerBytes = writeFrameHeader(header, opcode, payload.byteLength);
  header[1] = (header[1] ?? 0) | 0x80;
  const key = randomBytes(4);
  const masked = payload.map((byte, i) => byte ^ (key[i & 3] ?? 0));
  return Buffer.concat([header.subarray(0, headerBytes), key, masked]);
}
