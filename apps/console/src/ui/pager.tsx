import type { JSX } from 'preact';
import type { Pages } from './use-pages.js';

/** Moves through a list, newest first, of which a page is shown at a time. */
export function Pager({
  pages: { page, back, goTo },
  nextCursor,
}: {
  readonly pages: Pages;
  /** Null where nothing is older. */
  readonly nextCursor: string | null;
}): JSX.Element | null {
  if (page === 1 && nextCursor === null) return null;
  return (
    <nav class="tools pager" aria-label="Pages of the list">
      <button type="button" disabled={page === 1} onClick={back}>
        Newer
      </button>
      <span role="status">Page {page}</span>
      <button
        type="button"
        disabled={nextCursor === null}
        onClick={() => {
          if (nextCursor !== null) goTo(nextCursor);
        }}
      >
        Older
      </button>
    </nav>
  );
}
