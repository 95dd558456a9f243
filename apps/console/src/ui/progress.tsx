import type { JSX } from 'preact';
import { integer } from '../format.js';

/** A bar, and how many of how many. */
export function Progress({
  progress,
}: {
  readonly progress: { readonly step: number; readonly totalSteps: number };
}): JSX.Element {
  const { step, totalSteps } = progress;
  const share = totalSteps === 0 ? 0 : step / totalSteps;
  return (
    <div class="progress">
      <progress max={1} value={share} aria-label={`${Math.floor(share * 100)} % done`} />
      <span class="number">
        {integer(step)} / {integer(totalSteps)}
      </span>
    </div>
  );
}
