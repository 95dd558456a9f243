import type { RingTuning } from '@skipring/collective';
import { table } from '../output/format.js';

/** Variables of the coordinator that take what was found, by field. */
const VARIABLES = {
  exchangeLimitBytes: 'SKIPRING_RING_EXCHANGE_LIMIT_BYTES',
  segmentBytes: 'SKIPRING_RING_SEGMENT_BYTES',
} as const;

/** The measurements as tables, and what to set. */
export function describeTuning(tuning: RingTuning): string {
  const { worldSize, algorithms, segments, present, best } = tuning;
  const vectors = [...new Set(segments.map(({ bytes }) => bytes))];
  const sizes = [...new Set(segments.map(({ segmentBytes }) => segmentBytes))].sort(
    (a, b) => a - b,
  );
  const msOf = (bytes: number, size: number): number =>
    segments.find((cost) => cost.bytes === bytes && cost.segmentBytes === size)?.ms ?? NaN;
  const fields = Object.keys(VARIABLES) as (keyof typeof VARIABLES)[];
  return [
    `all-reduce of int32 over ${worldSize} ranks, ms (median, of the slowest rank)`,
    '',
    table(
      ['vector', 'exchange', 'ring', 'faster'],
      algorithms.map(({ bytes, exchangeMs, ringMs }) => {
        const ratio = ringMs / exchangeMs;
        const faster =
          ratio >= 1 ? `exchange ${ratio.toFixed(2)}x` : `ring ${(1 / ratio).toFixed(2)}x`;
        return [showBytes(bytes), showMs(exchangeMs), showMs(ringMs), faster];
      }),
    ),
    '',
    table(
      ['ring, segments of', ...vectors.map(showBytes)],
      sizes.map((size) => [
        `${showBytes(size)} at most`,
        ...vectors.map((bytes) => showMs(msOf(bytes, size))),
      ]),
    ),
    '',
    'best, as variables of the coordinator:',
    ...fields.map((field) => {
      const note = best[field] === present[field] ? '   # as it is without' : '';
      return `  ${VARIABLES[field]}=${best[field]}${note}`;
    }),
  ].join('\n');
}

const KIB = 1_024;

function showBytes(count: number): string {
  if (count % 1e6 === 0) return `${count / 1e6} MB`;
  if (count % KIB ** 2 === 0) return `${count / KIB ** 2} MiB`;
  return count % KIB === 0 ? `${count / KIB} KiB` : `${count} B`;
}

function showMs(ms: number): string {
  return ms.toFixed(ms < 10 ? 3 : 1);
}
