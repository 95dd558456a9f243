import { useState } from 'preact/hooks';

/** Where one is in a list that is read a page at a time by cursors. */
export interface Pages {
  /** Of the page that is shown; undefined for the first. */
  readonly cursor: string | undefined;
  /** From 1. */
  readonly page: number;
  /** Goes to the page before. */
  readonly back: () => void;
  readonly goTo: (nextCursor: string) => void;
  /** To the first page, as of another list. */
  readonly reset: () => void;
}

export function usePages(): Pages {
  /** Cursors of the pages that were gone through, the one that is shown last. */
  const [trail, setTrail] = useState<readonly string[]>([]);
  return {
    cursor: trail.at(-1),
    page: trail.length + 1,
    back: () => {
      setTrail(trail.slice(0, -1));
    },
    goTo: (nextCursor) => {
      setTrail([...trail, nextCursor]);
    },
    reset: () => {
      setTrail([]);
    },
  };
}
