/** A half-open range of elements. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Chunk `index` of `length` elements in `numChunks` parts; sizes differ by at most one element. */
export function chunkRange(length: number, numChunks: number, index: number): Range {
  return {
    begin: Math.floor((index * length) / numChunks),
    end: Math.floor(((index + 1) * length) / numChunks),
  };
}

/** Cuts a range into segments of `segmentLength` elements, the last one shorter; none if empty. */
export function segmentRanges({ begin, end }: Range, segmentLength: number): Range[] {
  const segments: Range[] = [];
  for (let at = begin; at < end; at += segmentLength) {
    segments.push({ begin: at, end: Math.min(end, at + segmentLength) });
  }
  return segments;
}
