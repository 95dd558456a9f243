/** A signal and how to let go of what it follows. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/**
 * A signal that fires with the first of others, until it is released. For others that live as long as
 * the process: of each signal that `AbortSignal.any` makes, Node 20 keeps a trace in all that it follows.
 */
export function linkedSignal(followed: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  const listeners = followed.map((signal) => ({
    signal,
    onAbort: (): void => {
      controller.abort(signal.reason);
    },
  }));
  for (const { signal, onAbort } of listeners) {
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  }
  return {
    signal: controller.signal,
    release: () => {
      for (const { signal, onAbort } of listeners) signal.removeEventListener('abort', onAbort);
    },
  };
}
