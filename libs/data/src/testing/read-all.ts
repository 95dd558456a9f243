import type { SourceSplit } from '../files/source.js';

/** Everything that a split yields, joined. */
export async function readAll(split: SourceSplit): Promise<{ labels: number[]; pixels: number[] }> {
  const labels: number[] = [];
  const pixels: number[] = [];
  for await (const chunk of split.read()) {
    for (const label of chunk.labels) labels.push(label);
    for (const byte of chunk.pixels) pixels.push(byte);
  }
  return { labels, pixels };
}
