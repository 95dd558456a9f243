import type { JSX } from 'preact';

/** Moves through a list, newest first, of which a page is shown at a time. */
export function Pager({
  page,
  onNewer,
  onOlder,
}: {
  /** From 1. */
  readonly page: number;
  /** Null where nothing is newer. */
  readonly onNewer: (() => void) | null;
  readonly onOlder: (() => void) | null;
}): JSX.Element | null {
  if (onNewer === null && onOlder === null) return null;
  return (
    <nav class="tools pager" aria-label="Pages of the list">
      <button type="button" disabled={onNewer === null} onClick={() => onNewer?.()}>
        Newer
      </button>
      <span role="status">Page {page}</span>
      <button type="button" disabled={onOlder === null} onClick={() => onOlder?.()}>
        Older
      </button>
    </nav>
  );
}
