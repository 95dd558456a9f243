import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { explainDiskError, ProvisionError } from '../errors.js';
import type { HttpAnswer, HttpClient } from './http.js';
import { retrying, type RetryOptions } from './retry.js';

/** A file that is known by its content. */
export interface PinnedFile {
  readonly file: string;
  /** Hexadecimal, lower case. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Fetches `pinned` from `url` to `destination`, which appears only when its SHA-256 is right.
 * What has arrived is kept in `destination + '.partial'`, and the next attempt, also one of a later
 * process, asks for the rest only (`Range`, RFC 9110 section 14.2).
 *
 * The caller holds the lock that keeps two processes from writing one file.
 *
 * @param onBytes told the number of bytes that are there.
 * @throws ProvisionError `HASH_MISMATCH`, `DOWNLOAD_FAILED`, `DOWNLOAD_STALLED`, `DISK_FULL`.
 */
export async function download(
  pinned: PinnedFile,
  url: URL,
  destination: string,
  http: HttpClient,
  retry: RetryOptions,
  onBytes: (doneBytes: number) => void,
): Promise<void> {
  const partial = `${destination}.partial`;
  const leftOver = await fileBytes(partial);
  if (leftOver > pinned.bytes) await rm(partial);
  const fetchOnce = async (): Promise<void> => {
    try {
      const hash = await retrying(retry, (attempt) =>
        fetchRest(pinned, url, partial, http, (doneBytes) => {
          attempt.progressed();
          onBytes(doneBytes);
        }),
      );
      const sha256 = hash.digest('hex');
      if (sha256 !== pinned.sha256) throw mismatch(pinned, `SHA-256 ${sha256}`);
    } catch (error) {
      if (error instanceof ProvisionError && error.code === 'HASH_MISMATCH') {
        await rm(partial, { force: true });
      }
      throw error;
    }
  };
  await fetchOnce().catch(async (error: unknown) => {
    const badFile = error instanceof ProvisionError && error.code === 'HASH_MISMATCH';
    // What an earlier process left behind may have been at fault: once more from the start.
    if (!badFile || leftOver === 0) throw error;
    await fetchOnce();
  });
  await rename(partial, destination);
}

/** Appends to `partial` what it lacks; returns the hash of the whole. */
async function fetchRest(
  pinned: PinnedFile,
  url: URL,
  partial: string,
  http: HttpClient,
  onBytes: (doneBytes: number) => void,
): Promise<Hash> {
  let numBytes = await fileBytes(partial);
  let hash = await hashOfFile(partial, numBytes);
  if (numBytes === pinned.bytes) return hash;

  const range = numBytes > 0 ? { range: `bytes=${numBytes}-` } : {};
  const answer = await http.get(url, { 'accept-encoding': 'identity', ...range });
  const appending = holdsTheRest(answer, numBytes, pinned);
  if (!appending) {
    numBytes = 0;
    hash = createHash('sha256');
  }
  const handle = await open(partial, appending ? 'a' : 'w').catch((error: unknown) => {
    answer.discard();
    throw explainDiskError(error, dirname(partial));
  });
  try {
    for await (const chunk of answer.body) {
      if (numBytes + chunk.length > pinned.bytes) {
        throw mismatch(pinned, `more than ${pinned.bytes} bytes`);
      }
      await handle.appendFile(chunk);
      hash.update(chunk);
      numBytes += chunk.length;
      onBytes(numBytes);
    }
    await handle.sync();
  } catch (error) {
    throw explainDiskError(error, dirname(partial));
  } finally {
    await handle.close();
  }
  if (numBytes < pinned.bytes) {
    throw new ProvisionError(
      'DOWNLOAD_FAILED',
      `${pinned.file} ended after ${numBytes} of ${pinned.bytes} bytes`,
      'check the network connection and run the command again',
    );
  }
  return hash;
}

/** Whether the answer holds the rest (206) and not the whole (200). */
function holdsTheRest(answer: HttpAnswer, startBytes: number, pinned: PinnedFile): boolean {
  if (answer.status === 200) return startBytes === 0;
  const range = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '');
  if (answer.status === 206 && Number(range?.[1]) === startBytes) return true;
  answer.discard();
  const passing = answer.status >= 500 || answer.status === 408 || answer.status === 429;
  throw new ProvisionError(
    passing ? 'DOWNLOAD_FAILED' : 'WHEEL_NOT_FOUND',
    `${answer.url.host} answered with status ${answer.status} for ${pinned.file}`,
    'check PIP_INDEX_URL, or run the command again later',
  );
}

/** SHA-256 of the first `numBytes` bytes of `path`, left open for more. */
async function hashOfFile(path: string, numBytes: number): Promise<Hash> {
  const hash = createHash('sha256');
  if (numBytes === 0) return hash;
  for await (const chunk of createReadStream(path, { end: numBytes - 1 })) {
    hash.update(chunk as Buffer);
  }
  return hash;
}

/** Whether the file at `path` is `pinned`, byte for byte. */
export async function isPinnedFile(path: string, pinned: PinnedFile): Promise<boolean> {
  if ((await fileBytes(path)) !== pinned.bytes) return false;
  return (await hashOfFile(path, pinned.bytes)).digest('hex') === pinned.sha256;
}

async function fileBytes(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

function mismatch(pinned: PinnedFile, got: string): ProvisionError {
  return new ProvisionError(
    'HASH_MISMATCH',
    `${pinned.file} has ${got}; expected SHA-256 ${pinned.sha256} and ${pinned.bytes} bytes`,
    'the index or a proxy on the way has altered the file: set PIP_INDEX_URL to an index you trust',
  );
}
