import type { JSX } from 'preact';

const HOUR_MS = 3_600_000;
const OVERLAPS: readonly (readonly [title: string, ms: number])[] = [
  ['ends at once', 0],
  ['goes on for 1 hour', HOUR_MS],
  ['goes on for 1 day', 24 * HOUR_MS],
  ['goes on for 7 days', 7 * 24 * HOUR_MS],
];

/** How long the secret before a rotation is good, so that its holders can change over. */
export function OverlapChoice({
  overlapMs,
  onChange,
}: {
  readonly overlapMs: number;
  readonly onChange: (overlapMs: number) => void;
}): JSX.Element {
  return (
    <label>
      When rotated, the old secret{' '}
      <select
        value={overlapMs}
        onChange={(event) => {
          onChange(Number(event.currentTarget.value));
        }}
      >
        {OVERLAPS.map(([title, ms]) => (
          <option key={ms} value={ms}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
