import {
  CLOSE_INVALID_DATA,
  CLOSE_NO_STATUS,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_LARGE,
  isCloseCode,
  MAX_CONTROL_BYTES,
  MAX_FRAME_HEADER_BYTES,
  OPCODE,
} from './rfc6455.js';

/** What arrived is no WebSocket traffic that a client takes. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';

  constructor(
    /** RFC 6455, 7.4.1: what to close the connection with. */
    readonly closeCode: number,
    message: string,
  ) {
    super(message);
  }
}

export interface MessageReaderOptions {
  /** Messages above this are refused as soon as they are announced. */
  readonly maxMessageBytes: number;
  /**
   * A message begins: where to put it, and so the number of bytes that are expected. Asked again for
   * each message; a longer one is refused.
   */
  begin(isBinary: boolean): Uint8Array;
  /** So many bytes of the message are in its place, and more are to come. */
  progress(numBytes: number): void;
  /** The message is complete: `numBytes` of the place that `begin` named, maybe fewer than expected. */
  end(numBytes: number): void;
  /** `payload` is valid during the call only. */
  onPing(payload: Uint8Array): void;
  /** Nothing is read after it. */
  onClose(code: number): void;
}

/** Frames of one message: enough for any sender, and an end to a stream of empty ones. */
const MAX_FRAGMENTS = 4_096;
const STAGING_BYTES = 16 * 1024;
/** Read at a time: what is worked on next is then still in the processor's cache. */
const MAX_DIRECT_BYTES = 256 * 1024;
/** Below this many missing bytes it is cheaper to read ahead and copy. */
const MIN_DIRECT_BYTES = 4 * 1024;

/**
 * The reading half of RFC 6455 for a client, without extensions. It says where the next bytes of
 * the stream go: into a small staging buffer for headers, straight into place for the payload. It
 * allocates nothing but that staging buffer, whatever arrives.
 */
export class MessageReader {
  private readonly staging = new Uint8Array(STAGING_BYTES);
  private begun = 0;
  private ended = 0;
  private closed = false;

  /** The message under way, and how much of it is there. */
  private target: Uint8Array | null = null;
  private filled = 0;
  private numFragments = 0;
  /** Of the frame under way. */
  private frameMissing = 0;
  private isFinal = false;
  private reading: 'staging' | 'direct' = 'staging';

  constructor(private readonly options: MessageReaderOptions) {}

  /** Where the next bytes of the stream go; never empty. Ask again after each `advance`. */
  get buffer(): Uint8Array {
    if (this.target !== null && this.frameMissing >= MIN_DIRECT_BYTES) {
      this.reading = 'direct';
      const end = this.filled + Math.min(this.frameMissing, MAX_DIRECT_BYTES);
      return this.target.subarray(this.filled, end);
    }
    this.reading = 'staging';
    if (this.begun > 0) {
      this.staging.copyWithin(0, this.begun, this.ended);
      this.ended -= this.begun;
      this.begun = 0;
    }
    return this.staging.subarray(this.ended);
  }

  /** Whether `buffer` is memory of the message's owner. */
  get isDirect(): boolean {
    return this.reading === 'direct';
  }

  /**
   * `numBytes` of the stream were put into `buffer`.
   * @throws WebSocketError, or what `begin` and `end` throw; then nothing more may be read.
   */
  advance(numBytes: number): void {
    if (this.reading === 'direct') {
      this.filled += numBytes;
      this.frameMissing -= numBytes;
      if (this.frameMissing === 0) this.endFrame();
      else this.options.progress(this.filled);
      return;
    }
    this.ended += numBytes;
    while (!this.closed && this.step());
    if (this.closed) this.begun = this.ended;
  }

  /** Takes what it can from the staging buffer; false if it needs more bytes. */
  private step(): boolean {
    const available = this.ended - this.begun;
    if (this.target !== null && this.frameMissing > 0) {
      const taken = Math.min(available, this.frameMissing);
      this.target.set(this.staging.subarray(this.begun, this.begun + taken), this.filled);
      this.begun += taken;
      this.filled += taken;
      this.frameMissing -= taken;
      if (this.frameMissing > 0) return false;
      this.endFrame();
      return true;
    }
    return available >= 2 && this.readHeader(available);
  }

  private readHeader(available: number): boolean {
    const { staging, begun } = this;
    const first = staging[begun] ?? 0;
    const second = staging[begun + 1] ?? 0;
    const opcode = first & 15;
    const isFinal = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) throw protocolError('a reserved bit is set');
    if ((second & 0x80) !== 0) throw protocolError('a frame from the server is masked');
    const short = second & 127;
    if (opcode >= 8) {
      if (!isFinal) throw protocolError('a control frame is fragmented');
      if (short > MAX_CONTROL_BYTES) throw protocolError('a control frame is too long');
      if (available < 2 + short) return false;
      this.begun += 2 + short;
      this.readControl(opcode, staging.subarray(begun + 2, begun + 2 + short));
      return true;
    }
    const headerBytes = short === 127 ? MAX_FRAME_HEADER_BYTES : short === 126 ? 4 : 2;
    if (available < headerBytes) return false;
    this.begun += headerBytes;
    this.beginFrame(opcode, isFinal, this.lengthAt(begun + 2, short));
    return true;
  }

  private lengthAt(offset: number, short: number): number {
    if (short < 126) return short;
    const view = new DataView(this.staging.buffer);
    if (short === 126) return atLeast(view.getUint16(offset), 126);
    const high = view.getUint32(offset);
    if (high >= 2 ** 31) throw protocolError('the highest bit of a length is set');
    return atLeast(high * 2 ** 32 + view.getUint32(offset + 4), 65_536);
  }

  private beginFrame(opcode: number, isFinal: boolean, numBytes: number): void {
    if (opcode === OPCODE.continuation) {
      if (this.target === null) throw protocolError('a continuation continues nothing');
    } else if (opcode === OPCODE.binary || opcode === OPCODE.text) {
      if (this.target !== null) throw protocolError('a message begins within another');
      // Before `begin`: what is too long by far needs no place.
      this.expectLength(numBytes);
      this.target = this.options.begin(opcode === OPCODE.binary);
      this.filled = 0;
      this.numFragments = 0;
    } else {
      throw protocolError(`opcode ${opcode} is reserved`);
    }
    this.expectLength(this.filled + numBytes);
    const room = this.target.byteLength - this.filled;
    if (numBytes > room) {
      throw protocolError(
        `a message has ${this.filled + numBytes} bytes or more, expected ${this.target.byteLength}`,
      );
    }
    if (++this.numFragments > MAX_FRAGMENTS) {
      throw protocolError(`a message has more than ${MAX_FRAGMENTS} fragments`);
    }
    this.isFinal = isFinal;
    this.frameMissing = numBytes;
    if (numBytes === 0) this.endFrame();
  }

  private expectLength(numBytes: number): void {
    const { maxMessageBytes } = this.options;
    if (numBytes > maxMessageBytes) {
      throw new WebSocketError(
        CLOSE_TOO_LARGE,
        `a message has ${numBytes} bytes or more, expected at most ${maxMessageBytes}`,
      );
    }
  }

  private endFrame(): void {
    if (!this.isFinal) return;
    const { filled } = this;
    this.target = null;
    this.options.end(filled);
  }

  private readControl(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) this.options.onPing(payload);
    else if (opcode === OPCODE.close) this.readClose(payload);
    else if (opcode !== OPCODE.pong) throw protocolError(`opcode ${opcode} is reserved`);
  }

  private readClose(payload: Uint8Array): void {
    if (payload.byteLength === 1) throw protocolError('a close frame has half a code');
    const [high = 0, low = 0] = payload;
    const code = payload.byteLength === 0 ? CLOSE_NO_STATUS : high * 256 + low;
    if (payload.byteLength > 0 && !isCloseCode(code)) {
      throw protocolError(`close code ${code} is none that is sent`);
    }
    if (payload.byteLength > 2) expectUtf8(payload.subarray(2));
    this.closed = true;
    this.options.onClose(code);
  }
}

/** RFC 6455, 5.2: a length takes as few bytes as it can. */
function atLeast(length: number, least: number): number {
  if (length < least) throw protocolError('a length takes more bytes than it needs');
  return length;
}

function expectUtf8(bytes: Uint8Array): void {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new WebSocketError(CLOSE_INVALID_DATA, 'the reason in a close frame is not UTF-8');
  }
}

function protocolError(message: string): WebSocketError {
  return new WebSocketError(CLOSE_PROTOCOL_ERROR, message);
}
