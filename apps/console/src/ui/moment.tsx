import type { JSX } from 'preact';
import { ago, dateTime } from '../format.js';

/** How long ago something was; pointed at, when. */
export function Moment({ at }: { readonly at: string }): JSX.Element {
  return (
    <time dateTime={at} title={dateTime(at)}>
      {ago(at)}
    </time>
  );
}
