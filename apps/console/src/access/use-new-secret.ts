import { useState } from 'preact/hooks';

export interface NewSecret<T> {
  /** What a secret was made for last, until it is put away. */
  readonly made: T | null;
  /** How long the secret before a rotation goes on, in milliseconds. */
  readonly overlapMs: number;
  readonly setOverlapMs: (overlapMs: number) => void;
  readonly show: (made: T) => void;
  readonly putAway: () => void;
  /** After the named one was removed. */
  readonly forget: (name: string) => void;
}

/** The state of a page of things that have a secret each; `reload` reads them again. */
export function useNewSecret<T extends { readonly name: string }>(
  reload: () => void,
): NewSecret<T> {
  const [made, setMade] = useState<T | null>(null);
  const [overlapMs, setOverlapMs] = useState(0);
  const putAway = (): void => {
    setMade(null);
  };
  return {
    made,
    overlapMs,
    setOverlapMs,
    show(next) {
      setMade(next);
      reload();
    },
    putAway,
    forget(name) {
      if (made?.name === name) putAway();
      reload();
    },
  };
}
