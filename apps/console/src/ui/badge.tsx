import type { JSX } from 'preact';

/** A state as a word with a dot; the colour only repeats what the word says. */
export function Badge({ state }: { readonly state: string }): JSX.Element {
  return <span class={`badge badge-${state}`}>{state}</span>;
}
