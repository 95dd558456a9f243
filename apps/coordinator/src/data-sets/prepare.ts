import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { PrepareThreadData, PrepareThreadMessage } from './prepare-thread.js';

export type Prepared = Extract<PrepareThreadMessage, { kind: 'prepared' }>;

/** The data are not as they must be: to try again is of no use. */
export class PreparationRefused extends Error {
  override readonly name = 'PreparationRefused';
}

/**
 * Prepares a data set on a thread of its own: to read and render images takes the processor for
 * seconds, and the coordinator must answer heartbeats all the while.
 *
 * @throws PreparationRefused for what is wrong with the data; another error when the machine failed
 *   (a full disk), the deadline passed or the signal fired
 */
export async function prepareOnThread(
  data: PrepareThreadData,
  signal: AbortSignal,
  deadlineMs: number,
): Promise<Prepared> {
  signal.throwIfAborted();
  const entry = createRequire(import.meta.url).resolve('@skipring/coordinator/prepare-thread');
  // No inherited flags: a test runner's resolve conditions would lead to TypeScript sources.
  const thread = new Worker(entry, { workerData: data, execArgv: [], name: 'prepare' });
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<Prepared>((resolve, reject) => {
      thread.once('message', (message: PrepareThreadMessage) => {
        if (message.kind === 'prepared') resolve(message);
        else if (message.reason !== null) reject(new PreparationRefused(message.reason));
        else reject(new Error(message.message));
      });
      thread.once('error', reject);
      thread.once('exit', (code) => {
        reject(new Error(`the preparation thread ended with code ${code}`));
      });
      timer = setTimeout(() => {
        reject(new PreparationRefused(`not done within ${deadlineMs} ms`));
      }, deadlineMs);
      onAbort = () => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    await thread.terminate();
  }
}
