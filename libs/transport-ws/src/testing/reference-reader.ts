import { isCloseCode } from '../rfc6455.js';

/** What a stream says, in order, until it ends, closes or breaks a rule. */
export type StreamEvent =
  | { readonly kind: 'message'; readonly isBinary: boolean; readonly payload: Uint8Array }
  | { readonly kind: 'ping'; readonly payload: Uint8Array }
  | { readonly kind: 'close'; readonly code: number }
  | { readonly kind: 'error'; readonly closeCode: number };

export interface StreamLimits {
  readonly maxMessageBytes: number;
  /** What every message is expected to have at most. */
  readonly expectedBytes: number;
}

/**
 * Reads a whole stream by the letter of RFC 6455, section by section, with no thought of speed: what
 * `MessageReader` is compared with.
 */
export function readAll(stream: Uint8Array, limits: StreamLimits): StreamEvent[] {
  const events: StreamEvent[] = [];
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let message: { isBinary: boolean; parts: Uint8Array[]; numBytes: number } | null = null;
  const broken = (closeCode: number): StreamEvent[] => [...events, { kind: 'error', closeCode }];
  for (let at = 0; at + 2 <= stream.byteLength;) {
    const first = view.getUint8(at);
    const second = view.getUint8(at + 1);
    const isFinal = first >= 128;
    const opcode = first % 16;
    if (Math.floor(first / 16) % 8 !== 0 || second >= 128) return broken(1002);
    if (opcode >= 8) {
      if (!isFinal || second > 125) return broken(1002);
      if (at + 2 + second > stream.byteLength) return events;
      const payload = stream.slice(at + 2, at + 2 + second);
      at += 2 + second;
      if (opcode === 9) events.push({ kind: 'ping', payload });
      else if (opcode === 8) return [...events, closeEvent(payload)];
      else if (opcode !== 10) return broken(1002);
      continue;
    }
    let numBytes = second;
    let headerBytes = 2;
    if (second === 126) {
      if (at + 4 > stream.byteLength) return events;
      numBytes = view.getUint16(at + 2);
      headerBytes = 4;
      if (numBytes < 126) return broken(1002);
    } else if (second === 127) {
      if (at + 10 > stream.byteLength) return events;
      const long = view.getBigUint64(at + 2);
      headerBytes = 10;
      if (long >= 2n ** 63n || long < 65_536n) return broken(1002);
      numBytes = Number(long);
    }
    if (opcode > 2) return broken(1002);
    if ((opcode === 0) !== (message !== null)) return broken(1002);
    if (numBytes > limits.maxMessageBytes) return broken(1009);
    message ??= { isBinary: opcode === 2, parts: [], numBytes: 0 };
    message.numBytes += numBytes;
    if (message.numBytes > limits.maxMessageBytes) return broken(1009);
    if (message.numBytes > limits.expectedBytes) return broken(1002);
    if (
      message.parts.push(stream.subarray(at + headerBytes, at + headerBytes + numBytes)) > 4_096
    ) {
      return broken(1002);
    }
    if (at + headerBytes + numBytes > stream.byteLength) return events;
    at += headerBytes + numBytes;
    if (isFinal) {
      const payload = Buffer.concat(message.parts);
      events.push({ kind: 'message', isBinary: message.isBinary, payload });
      message = null;
    }
  }
  return events;
}

function closeEvent(payload: Uint8Array): StreamEvent {
  if (payload.byteLength === 0) return { kind: 'close', code: 1005 };
  const code = (payload[0] ?? 0) * 256 + (payload[1] ?? 0);
  if (payload.byteLength === 1 || !isCloseCode(code)) return { kind: 'error', closeCode: 1002 };
  const reason = Buffer.from(payload.subarray(2));
  const isUtf8 = Buffer.compare(Buffer.from(reason.toString('utf8')), reason) === 0;
  return isUtf8 ? { kind: 'close', code } : { kind: 'error', closeCode: 1007 };
}
