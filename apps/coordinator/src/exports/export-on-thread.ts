import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { ExportThreadData, ExportThreadMessage } from './export-thread.js';

/** The model cannot be given out in this form: to try again is of no use. */
export class ExportRefused extends Error {
  override readonly name = 'ExportRefused';
}

/**
 * Converts a model on a thread of its own: it takes the processor for seconds, and the coordinator
 * must answer heartbeats all the while.
 *
 * @throws ExportRefused; another error when the signal fired
 */
export async function exportOnThread(data: ExportThreadData, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const entry = createRequire(import.meta.url).resolve('@skipring/coordinator/export-thread');
  // No inherited flags: a test runner's resolve conditions would lead to TypeScript sources.
  const thread = new Worker(entry, {
    workerData: data,
    execArgv: [],
    name: 'export',
    stderr: true,
  });
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      thread.once('message', (message: ExportThreadMessage) => {
        if (message.kind === 'exported') resolve();
        else reject(new ExportRefused(message.message));
      });
      thread.once('error', reject);
      thread.once('exit', (code) => {
        reject(new Error(`the export thread ended with code ${code}`));
      });
      onAbort = () => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    await thread.terminate();
  }
}
