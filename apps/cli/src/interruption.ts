import { CommandError, EXIT } from './exit-codes.js';

/** Under npm one press of Ctrl-C arrives twice, from the terminal and from npm, within moments. */
const ONE_PRESS_MS = 500;

/** What Ctrl-C, SIGTERM and SIGHUP mean to this process. */
export interface Interruption {
  /** Fires with the first signal: end in order. */
  readonly interrupted: AbortSignal;
  /** Fires with the second: end at once. */
  readonly forced: AbortSignal;
}

/** Listens from now on; a third signal ends the process on the spot. */
export function listenForSignals(): Interruption {
  const interrupt = new AbortController();
  const force = new AbortController();
  let lastPressMs = -Infinity;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const nowMs = performance.now();
      if (nowMs - lastPressMs < ONE_PRESS_MS) return;
      lastPressMs = nowMs;
      if (force.signal.aborted) process.exit(EXIT.interrupted);
      else if (interrupt.signal.aborted) force.abort();
      else interrupt.abort();
    });
  }
  return { interrupted: interrupt.signal, forced: force.signal };
}

/** Resolves with null when the signal fires. */
export function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((done) => {
    if (signal.aborted) done(null);
    signal.addEventListener('abort', () => {
      done(null);
    });
  });
}

/** Rejects with CommandError `interrupted` as soon as the signal fires; the work goes on unheard. */
export function unlessInterrupted<T>(interrupted: AbortSignal, work: Promise<T>): Promise<T> {
  const interruption = aborted(interrupted).then(() => {
    throw new CommandError(EXIT.interrupted, 'interrupted');
  });
  return Promise.race([work, interruption]);
}
