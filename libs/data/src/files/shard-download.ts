import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import type { Shard } from '@skipring/protocol';
import { DataError } from '../error.js';

/** Bytes of a shard from `rangeStart` to its end; a web ReadableStream will do. */
export type FetchShard = (file: string, rangeStart: number) => Promise<AsyncIterable<Uint8Array>>;

export interface DownloadOptions {
  readonly fetchShard: FetchShard;
  /** Longest wait for a response, and for each piece of it. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches what `path` lacks of a shard and appends it.
 *
 * @throws DataError SHARD_FETCH_TIMEOUT, SHARD_FETCH_FAILED (too many or too few bytes), or what
 *   `fetchShard` throws; what has arrived stays in the file and the next call goes on from there
 */
export async function resumeDownload(
  path: string,
  shard: Shard,
  options: DownloadOptions,
): Promise<void> {
  const start = await usableSize(path, shard);
  if (start === shard.bytes) return;
  const chunks = await request(shard, start, options);
  const handle = await open(path, 'a');
  try {
    await appendAll(handle, chunks, start, shard, options);
    await handle.sync();
  } finally {
    await handle.close();
    // Not waited for: a source that hangs may never answer.
    chunks.return?.().catch(() => undefined);
  }
}

async function request(
  shard: Shard,
  start: number,
  options: DownloadOptions,
): Promise<AsyncIterator<Uint8Array>> {
  const response = options.fetchShard(shard.file, start);
  try {
    return (await inTime(response, shard, options))[Symbol.asyncIterator]();
  } catch (error) {
    // A response that comes too late is closed unread.
    response.then((late) => late[Symbol.asyncIterator]().return?.()).catch(() => undefined);
    throw error;
  }
}

async function appendAll(
  handle: FileHandle,
  chunks: AsyncIterator<Uint8Array>,
  start: number,
  shard: Shard,
  options: DownloadOptions,
): Promise<void> {
  let size = start;
  for (;;) {
    const next = await inTime(chunks.next(), shard, options);
    if (next.done === true) break;
    size += next.value.length;
    if (size > shard.bytes) throw wrongSize(shard, `more than ${shard.bytes}`);
    await handle.appendFile(next.value);
  }
  if (size < shard.bytes) throw wrongSize(shard, `${size}`);
}

function wrongSize(shard: Shard, received: string): DataError {
  return new DataError(
    'SHARD_FETCH_FAILED',
    `received ${received} bytes; expected ${shard.bytes}`,
    { file: shard.file },
  );
}

/** Settles as `operation` does, or rejects at the deadline or when the signal aborts. */
async function inTime<T>(
  operation: Promise<T>,
  shard: Shard,
  { idleTimeoutMs, signal }: DownloadOptions,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `nothing received for ${idleTimeoutMs} ms`;
      reject(new DataError('SHARD_FETCH_TIMEOUT', message, { file: shard.file }));
    }, idleTimeoutMs);
    onAbort = () => {
      reject(signal?.reason as Error);
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([operation, interrupted]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}

/** Size of what is there already; a file larger than the shard is of no use and dropped. */
async function usableSize(path: string, shard: Shard): Promise<number> {
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  );
  if (size <= shard.bytes) return size;
  await rm(path, { force: true });
  return 0;
}
