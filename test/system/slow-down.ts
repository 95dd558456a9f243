import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from './server-process.js';

/** A process that runs for a fifth of the time takes five times as long for all it does. */
const RUNS_MS = 20;
const STANDS_MS = 80;

/**
 * Stops and continues a process all the time, as one that shares its processor with another, while `act`
 * runs.
 */
export async function slowedDown<T>(process: ServerProcess, act: () => Promise<T>): Promise<T> {
  let isOver = false;
  const slowing = (async () => {
    while (!isOver && process.isRunning) {
      process.signal('SIGSTOP');
      await sleep(STANDS_MS);
      process.signal('SIGCONT');
      await sleep(RUNS_MS);
    }
  })();
  try {
    return await act();
  } finally {
    isOver = true;
    await slowing;
  }
}
