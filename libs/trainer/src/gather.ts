import type { Collective } from './ports.js';

/**
 * Shows every rank a few words of every other: each rank adds a vector that is zero outside its own
 * row, so the sum holds all rows. All ranks see the same result, or an error.
 *
 * @param words int32 values of this rank, the same number on every rank
 * @returns by rank
 */
export async function gather(
  collective: Collective,
  words: readonly number[],
  deadlineMs: number,
): Promise<Int32Array[]> {
  const { rank, worldSize } = collective;
  const width = words.length;
  const bytes = worldSize * width * Int32Array.BYTES_PER_ELEMENT;
  const rows = new Int32Array(new SharedArrayBuffer(bytes));
  rows.set(words, rank * width);
  await collective.allReduce(rows, deadlineMs);
  return Array.from({ length: worldSize }, (_, of) => rows.slice(of * width, (of + 1) * width));
}

/** Ranks whose row differs from the most common one; of equally common ones, the lowest rank's. */
export function minority(rows: readonly Int32Array[]): number[] {
  const keys = rows.map((row) => row.join());
  const count = (key: string): number => keys.filter((other) => other === key).length;
  const common = keys.reduce((best, key) => (count(key) > count(best) ? key : best));
  return keys.flatMap((key, rank) => (key === common ? [] : [rank]));
}
