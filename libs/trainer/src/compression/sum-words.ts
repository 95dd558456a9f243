import type { Collective } from '../ports.js';

/** Adds up int32 words over all ranks, several parts in one operation; the parts stay as they are. */
export type SumWords = (parts: readonly Int32Array[]) => Promise<Int32Array[]>;

export function sumWordsOver(collective: Collective, deadlineMs: number): SumWords {
  return async (parts) => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const bytes = length * Int32Array.BYTES_PER_ELEMENT;
    const words = new Int32Array(new SharedArrayBuffer(bytes));
    let offset = 0;
    const places = parts.map((part) => {
      words.set(part, offset);
      return words.subarray(offset, (offset += part.length));
    });
    await collective.allReduce(words, deadlineMs);
    return places;
  };
}
