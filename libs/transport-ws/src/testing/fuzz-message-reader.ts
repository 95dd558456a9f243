import { MessageReader, WebSocketError } from '../message-reader.js';
import { readAll, type StreamEvent, type StreamLimits } from './reference-reader.js';

export interface FuzzOptions {
  readonly numInputs: number;
  readonly seed: number;
}

export interface FuzzCounts {
  readonly inputs: number;
  readonly messages: number;
  readonly pings: number;
  readonly closes: number;
  readonly errors: number;
}

/** Most of what the reader may hold besides the message's place: its staging buffer. */
const MAX_STAGING_BYTES = 16 * 1024;
/** Now and then messages are so long that they are read straight into place. */
const LIMITS: readonly StreamLimits[] = [
  { maxMessageBytes: 300, expectedBytes: 200 },
  { maxMessageBytes: 40_000, expectedBytes: 20_000 },
];

type Random = (below: number) => number;

/** xorshift32 */
function seededRandom(seed: number): Random {
  // Different for every seed, and never 0, where it would stay.
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/**
 * Reads random streams, chopped at random, and compares with the reference. Checks as well that the
 * reader never asks for more room than its staging buffer or the rest of the message's place.
 * @throws Error naming the input by seed and number.
 */
export function fuzzMessageReader({ numInputs, seed }: FuzzOptions): FuzzCounts {
  const counts = { inputs: 0, messages: 0, pings: 0, closes: 0, errors: 0 };
  const random = seededRandom(seed);
  const place = new Uint8Array(Math.max(...LIMITS.map(({ expectedBytes }) => expectedBytes)));
  for (; counts.inputs < numInputs; counts.inputs++) {
    const limits = LIMITS[random(256) === 0 ? 1 : 0] ?? { maxMessageBytes: 0, expectedBytes: 0 };
    const stream = randomStream(random, limits);
    const target = place.subarray(0, limits.expectedBytes);
    const expected = readAll(stream, limits);
    try {
      expectSame(readChopped(stream, limits, target, random), expected);
    } catch (error) {
      const hex = Buffer.from(stream.subarray(0, 400)).toString('hex');
      throw new Error(`input ${counts.inputs} of seed ${seed} (${hex}): ${String(error)}`);
    }
    for (const { kind } of expected) {
      if (kind === 'message') counts.messages++;
      else if (kind === 'ping') counts.pings++;
      else if (kind === 'close') counts.closes++;
      else counts.errors++;
    }
  }
  return counts;
}

function readChopped(
  stream: Uint8Array,
  { maxMessageBytes }: StreamLimits,
  target: Uint8Array,
  random: Random,
): StreamEvent[] {
  const events: StreamEvent[] = [];
  let isBinaryNow = false;
  let staging: ArrayBufferLike | null = null;
  /** What was said to be there of the message under way. */
  let begun = new Uint8Array(0);
  const reader = new MessageReader({
    maxMessageBytes,
    begin: (isBinary) => {
      isBinaryNow = isBinary;
      begun = new Uint8Array(0);
      return target;
    },
    progress: (numBytes) => {
      if (numBytes <= begun.byteLength) throw new Error('a message shrinks while it arrives');
      begun = target.slice(0, numBytes);
    },
    end: (numBytes) => {
      const isLonger = numBytes > begun.byteLength || numBytes === 0;
      if (!isLonger || Buffer.compare(begun, target.subarray(0, begun.byteLength)) !== 0) {
        throw new Error('the beginning of a message changed while it arrived');
      }
      events.push({
        kind: 'message',
        isBinary: isBinaryNow,
        payload: target.slice(0, numBytes),
      });
    },
    onPing: (payload) => {
      events.push({ kind: 'ping', payload: payload.slice() });
    },
    onClose: (code) => {
      events.push({ kind: 'close', code });
    },
  });
  for (let at = 0; at < stream.byteLength;) {
    const { buffer } = reader;
    if (buffer.byteLength === 0) throw new Error('no room for the next bytes');
    if (buffer.buffer !== target.buffer) {
      staging ??= buffer.buffer;
      if (buffer.buffer !== staging || staging.byteLength > MAX_STAGING_BYTES) {
        throw new Error('the reader allocates');
      }
    } else if (buffer.byteOffset + buffer.byteLength > target.byteOffset + target.byteLength) {
      throw new Error('the reader would write behind the place of the message');
    }
    const wanted = random(4) === 0 ? 1 + random(8) : stream.byteLength;
    const part = stream.subarray(at, at + Math.min(wanted, buffer.byteLength));
    buffer.set(part);
    at += part.byteLength;
    try {
      reader.advance(part.byteLength);
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      return [...events, { kind: 'error', closeCode: error.closeCode }];
    }
  }
  return events;
}

function expectSame(actual: readonly StreamEvent[], expected: readonly StreamEvent[]): void {
  const same =
    actual.length === expected.length && actual.every((event, i) => isSame(event, expected[i]));
  if (!same) throw new Error(`read ${describe(actual)}, expected ${describe(expected)}`);
}

function isSame(a: StreamEvent, b: StreamEvent | undefined): boolean {
  if (a.kind === 'message' && b?.kind === 'message') {
    return a.isBinary === b.isBinary && Buffer.compare(a.payload, b.payload) === 0;
  }
  if (a.kind === 'ping' && b?.kind === 'ping') return Buffer.compare(a.payload, b.payload) === 0;
  if (a.kind === 'close' && b?.kind === 'close') return a.code === b.code;
  return a.kind === 'error' && b?.kind === 'error' && a.closeCode === b.closeCode;
}

function describe(events: readonly StreamEvent[]): string {
  return JSON.stringify(events, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex', 0, 60) : value,
  );
}

/** Some frames, mostly right, then perhaps damage: a changed bit, a cut end, or plain noise. */
function randomStream(random: Random, limits: StreamLimits): Uint8Array {
  if (random(16) === 0) return Uint8Array.from({ length: random(40) }, () => random(256));
  let isOpen = false;
  const frames = Array.from({ length: 1 + random(4) }, () => {
    const opcode = randomOpcode(random, isOpen);
    const isFinal = opcode >= 8 ? random(64) > 0 : random(3) > 0;
    if (opcode < 8) isOpen = !isFinal;
    return randomFrame(random, limits, opcode, isFinal);
  });
  const stream = new Uint8Array(frames.reduce((sum, frame) => sum + frame.byteLength, 0));
  let end = 0;
  for (const frame of frames) {
    stream.set(frame, end);
    end += frame.byteLength;
  }
  const damage = random(4);
  if (damage === 0) {
    const at = random(Math.min(stream.byteLength, 24));
    stream[at] = (stream[at] ?? 0) ^ (1 << random(8));
  }
  return damage === 1 ? stream.subarray(0, random(stream.byteLength + 1)) : stream;
}

const CONTROL_OPCODES = [8, 9, 9, 10];
const CLOSE_CODES = [1000, 1001, 1005, 1006, 1015, 1016, 2999, 3000, 4000, 4999, 5000, 0];

function randomOpcode(random: Random, isOpen: boolean): number {
  if (random(64) === 0) return random(16);
  if (random(4) === 0) return CONTROL_OPCODES[random(CONTROL_OPCODES.length)] ?? 0;
  if (isOpen) return 0;
  return random(8) === 0 ? 1 : 2;
}

function randomFrame(
  random: Random,
  { maxMessageBytes }: StreamLimits,
  opcode: number,
  isFinal: boolean,
): Uint8Array {
  const payload =
    opcode === 8 ? closePayload(random) : randomPayload(random, opcode, maxMessageBytes);
  const form = random(64);
  const { byteLength } = payload;
  // Now and then a length takes more bytes than it needs, or announces more than there is.
  if (form === 0 || byteLength >= 65_536) return frame(opcode, isFinal, 127, byteLength, payload);
  if (form === 1)
    return frame(opcode, isFinal, 127, random(2) * 2 ** 40 + random(2 ** 31), payload);
  if (form === 2 || byteLength > 125) return frame(opcode, isFinal, 126, byteLength, payload);
  return frame(opcode, isFinal, byteLength, byteLength, payload);
}

function frame(
  opcode: number,
  isFinal: boolean,
  short: number,
  length: number,
  payload: Uint8Array,
): Uint8Array {
  const headerBytes = short === 127 ? 10 : short === 126 ? 4 : 2;
  const bytes = new Uint8Array(headerBytes + payload.byteLength);
  bytes[0] = (isFinal ? 128 : 0) | opcode;
  bytes[1] = short;
  const view = new DataView(bytes.buffer);
  if (short === 126) view.setUint16(2, length);
  if (short === 127) {
    view.setUint32(2, Math.floor(length / 2 ** 32));
    view.setUint32(6, length % 2 ** 32);
  }
  bytes.set(payload, headerBytes);
  return bytes;
}

function closePayload(random: Random): Uint8Array {
  const code = CLOSE_CODES[random(CLOSE_CODES.length)] ?? 0;
  const bytes = [code >> 8, code & 255, ...Array.from({ length: random(4) }, () => random(256))];
  return Uint8Array.from(bytes.slice(0, random(bytes.length + 1)));
}

function randomPayload(random: Random, opcode: number, maxMessageBytes: number): Uint8Array {
  const isSmall = opcode >= 8 || random(4) > 0;
  const payload = new Uint8Array(isSmall ? random(20) : random(maxMessageBytes + 20));
  for (let i = 0; i < payload.byteLength && i < 32; i++) payload[i] = random(256);
  return payload;
}
