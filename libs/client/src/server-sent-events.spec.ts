import { describe, expect, it } from 'vitest';
import { parseEventStream } from './server-sent-events.js';

/** The text as a stream of chunks of `size` bytes, so that every boundary is met. */
function streamOf(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size)
        controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

async function parse(text: string, size = 1_000): Promise<[string | null, string][]> {
  const events: [string | null, string][] = [];
  for await (const { id, data } of parseEventStream(streamOf(text, size))) events.push([id, data]);
  return events;
}

describe('parseEventStream', () => {
  const text =
    ': hello\nid: 1\ndata: {"a":"é"}\n\nid:2\ndata: one\ndata: two\nevent: x\n\ndata: three\n\n';
  const expected = [
    ['1', '{"a":"é"}'],
    ['2', 'one\ntwo'],
    ['2', 'three'],
  ];

  it.each([1, 2, 3, 7, 1_000])('yields the events of chunks of %i bytes', async (size) => {
    expect(await parse(text, size)).toEqual(expected);
  });

  it('takes all three line ends', async () => {
    expect(await parse('data: a\r\n\r\ndata: b\r\rdata: c\n\n')).toEqual([
      [null, 'a'],
      [null, 'b'],
      [null, 'c'],
    ]);
  });

  it('drops an event that was cut off', async () => {
    expect(await parse('data: whole\n\ndata: half')).toEqual([[null, 'whole']]);
  });

  it('refuses a line without end', async () => {
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(1 << 20).fill(65));
      },
    });
    await expect(parseEventStream(endless).next()).rejects.toThrow('too long');
  });
});
