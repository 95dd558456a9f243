import { HttpProblem } from './problem.js';

export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
}

/**
 * The one byte range that a `Range` header asks for (RFC 9110, 14.1.2); null for the whole file,
 * also when the header asks for several ranges or another unit, which a server may ignore.
 * @throws HttpProblem RANGE_NOT_SATISFIABLE when it starts behind the end
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return null;
  const first = match[1] === '' ? null : Number(match[1]);
  const last = match[2] === '' ? null : Number(match[2]);
  const start = first ?? Math.max(0, size - (last ?? 0));
  const end = first === null || last === null ? size - 1 : Math.min(last, size - 1);
  if (first !== null && last !== null && last < first) return null;
  if (start >= size || end < start) {
    throw new HttpProblem(
      'RANGE_NOT_SATISFIABLE',
      `the range is ${match[0]}, expected one inside ${size} bytes`,
      [],
      { 'content-range': `bytes */${size}` },
    );
  }
  return { start, end };
}
