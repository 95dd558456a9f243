import { describe, expect, it } from 'vitest';
import { MessageReader, WebSocketError } from './message-reader.js';
import { fuzzMessageReader } from './testing/fuzz-message-reader.js';

function readerInto(target: Uint8Array, maxMessageBytes = 1_000_000) {
  const messages: string[] = [];
  const reader = new MessageReader({
    maxMessageBytes,
    begin: () => target,
    progress: () => undefined,
    end: (numBytes) => messages.push(Buffer.from(target.subarray(0, numBytes)).toString('hex')),
    onPing: (payload) => messages.push(`ping ${Buffer.from(payload).toString('hex')}`),
    onClose: (code) => messages.push(`close ${code}`),
  });
  /** Feeds the stream as a socket would; returns the places that the bytes went to. */
  const feed = (stream: Uint8Array) => {
    const places: Uint8Array[] = [];
    for (let at = 0; at < stream.byteLength;) {
      const { buffer } = reader;
      const part = stream.subarray(at, at + buffer.byteLength);
      buffer.set(part);
      places.push(buffer);
      at += part.byteLength;
      reader.advance(part.byteLength);
    }
    return places;
  };
  return { reader, messages, feed };
}

describe('MessageReader', () => {
  it('agrees with the reference on random streams', () => {
    const counts = fuzzMessageReader({ numInputs: 20_000, seed: 20_261 });
    expect(counts.inputs).toBe(20_000);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(500);
  });

  it('puts a long payload straight into place', () => {
    const target = new Uint8Array(100_000);
    const { reader, messages, feed } = readerInto(target);
    feed(Uint8Array.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0x86, 0xa0]));
    expect(reader.isDirect).toBe(false);
    const { buffer } = reader;
    expect(reader.isDirect).toBe(true);
    expect(buffer.buffer).toBe(target.buffer);
    expect(buffer.byteLength).toBe(100_000);
    reader.advance(60_000);
    expect(reader.buffer.byteOffset).toBe(60_000);
    reader.advance(40_000);
    expect(messages).toHaveLength(1);
  });

  it('takes control frames between the fragments of a message', () => {
    const { messages, feed } = readerInto(new Uint8Array(4));
    feed(Buffer.from('02020102' + '890155' + '000103' + '8a00' + '800104' + '880203e8', 'hex'));
    expect(messages).toEqual(['ping 55', '01020304', 'close 1000']);
  });

  it('reads nothing after a close frame', () => {
    const { messages, feed } = readerInto(new Uint8Array(4));
    feed(Buffer.from('880203e8' + 'ffff', 'hex'));
    feed(Buffer.from('82017f', 'hex'));
    expect(messages).toEqual(['close 1000']);
  });

  it.each([
    ['a masked frame', '828100000000ff', 1002],
    ['a reserved bit', 'c20101', 1002],
    ['a reserved data opcode', '830101', 1002],
    ['a reserved control opcode', '8b00', 1002],
    ['a fragmented ping', '0900', 1002],
    ['a ping of 126 bytes', '897e007e', 1002],
    ['a continuation of nothing', '800101', 1002],
    ['a message within a message', '0201018201ff', 1002],
    ['a 16-bit length below 126', '827e007d', 1002],
    ['a 64-bit length below 65,536', '827f000000000000ffff', 1002],
    ['the highest bit of a length', '827f8000000000010000', 1002],
    ['a message that is announced too long', '827f0000000010000000', 1009],
    ['fragments that become too long', '02020102' + '00020304' + '800105', 1002],
    ['half a close code', '880103', 1002],
    ['a close code that is never sent', '880203ed', 1002],
    ['a close reason that is not UTF-8', '880303e8ff', 1007],
  ])('refuses %s', (_what, stream, closeCode) => {
    const { feed } = readerInto(new Uint8Array(4));
    expect(() => feed(Buffer.from(stream, 'hex'))).toThrow(
      expect.objectContaining({ name: 'WebSocketError', closeCode }),
    );
  });

  it('refuses an endless message of empty fragments', () => {
    const { feed } = readerInto(new Uint8Array(4));
    feed(Buffer.from('0200', 'hex'));
    expect(() => feed(Buffer.from('0000'.repeat(5_000), 'hex'))).toThrow(WebSocketError);
  });
});
