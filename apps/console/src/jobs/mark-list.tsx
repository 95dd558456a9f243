import type { JSX } from 'preact';
import type { Mark } from '../charts/chart-data.js';
import { integer } from '../format.js';

/** The marks of the charts in words. */
export function MarkList({ marks }: { readonly marks: readonly Mark[] }): JSX.Element | null {
  if (marks.length === 0) return null;
  return (
    <details class="marks" open={marks.some(({ kind }) => kind === 'fault')}>
      <summary>
        Generations: {marks.filter(({ kind }) => kind === 'generation').length}, faults:{' '}
        {marks.filter(({ kind }) => kind === 'fault').length}
      </summary>
      <ul>
        {marks.map(({ x, kind, title }, index) => (
          <li key={index} class={`mark-${kind}`}>
            <span class="number">step {integer(x)}</span> {title}
          </li>
        ))}
      </ul>
    </details>
  );
}
