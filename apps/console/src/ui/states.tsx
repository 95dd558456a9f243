import { ApiError, ConnectionError } from '@skipring/client';
import type { ComponentChildren, JSX } from 'preact';

export function Loading({ what }: { readonly what: string }): JSX.Element {
  return (
    <div class="state" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what} …
    </div>
  );
}

/** Nothing is there yet, and what to do about it. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({
  error,
  onRetry,
}: {
  readonly error: Error;
  readonly onRetry?: () => void;
}): JSX.Element {
  return (
    <div class="notice notice-error" role="alert">
      <p>{messageOf(error)}</p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What people are told of an error. */
export function messageOf(error: unknown): string {
  if (error instanceof ConnectionError) {
    return 'The coordinator does not answer. It may be restarting; this page tries again.';
  }
  if (error instanceof ApiError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}

/** The page's content, or that it is loading, or why it is not there. */
export function Loaded<T>({
  of: { value, error, reload },
  what,
  children,
}: {
  readonly of: {
    readonly value: T | null;
    readonly error: Error | null;
    readonly reload: () => void;
  };
  readonly what: string;
  readonly children: (value: T) => ComponentChildren;
}): JSX.Element {
  if (value === null) {
    return error === null ? <Loading what={what} /> : <Failure error={error} onRetry={reload} />;
  }
  return (
    <>
      {error !== null && <Failure error={error} />}
      {children(value)}
    </>
  );
}
