import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IndexOptions } from '../options/options.js';
import { startWheelServer, type WheelServer } from '../testing/wheel-server.js';
import { download } from './download.js';
import { createHttpClient } from './http.js';

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
const PINNED = { file: 'a.whl', sha256: sha256(CONTENT), bytes: CONTENT.length };
const INDEX: IndexOptions = {
  indexUrls: [],
  wheelDirs: [],
  caFiles: [],
  noProxy: [],
  stallMs: 300,
  maxAttempts: 3,
  backoffMs: 1,
};

describe('download', () => {
  let directory: string;
  let destination: string;
  let server: WheelServer;
  const fetchIt = (pinned = PINNED, onBytes: (n: number) => void = () => undefined) =>
    download(pinned, server.fileUrl('a.whl'), destination, createHttpClient(INDEX), INDEX, onBytes);
  const fetched = async (): Promise<string> => sha256(await readFile(destination));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'skipring-download-'));
    destination = join(directory, 'a.whl');
    server = await startWheelServer({ 'a.whl': CONTENT }, () => PINNED.sha256);
  });
  afterEach(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  it('fetches a file whole', async () => {
    const told: number[] = [];
    await fetchIt(PINNED, (n) => told.push(n));
    expect(await fetched()).toBe(PINNED.sha256);
    expect(told.at(-1)).toBe(CONTENT.length);
    expect(server.requests).toEqual([{ path: '/files/a.whl', range: undefined }]);
  });

  it('resumes by Range where the connection broke', async () => {
    server.behaviours.push({ kind: 'break-after', bytes: 100_000 });
    await fetchIt();
    expect(await fetched()).toBe(PINNED.sha256);
    expect(server.requests).toHaveLength(2);
    const start = Number(/bytes=(\d+)-/.exec(server.requests[1]?.range ?? '')?.[1]);
    expect(start).toBeGreaterThan(0);
    expect(start).toBeLessThanOrEqual(100_000);
  });

  it('resumes what an earlier process left behind', async () => {
    await writeFile(`${destination}.partial`, CONTENT.subarray(0, 200_000));
    await fetchIt();
    expect(server.requests).toEqual([{ path: '/files/a.whl', range: 'bytes=200000-' }]);
    expect(await fetched()).toBe(PINNED.sha256);
  });

  it('starts again when the server does not honour Range', async () => {
    await writeFile(`${destination}.partial`, CONTENT.subarray(0, 200_000));
    server.behaviours.push({ kind: 'ignore-range' });
    await fetchIt();
    expect(await fetched()).toBe(PINNED.sha256);
  });

  it('breaks off a transfer that stalls, and resumes it', async () => {
    server.behaviours.push({ kind: 'stall-after', bytes: 50_000 });
    await fetchIt();
    expect(await fetched()).toBe(PINNED.sha256);
    expect(server.requests).toHaveLength(2);
  });

  it('gives up after maxAttempts without progress', async () => {
    for (let i = 0; i < 5; i += 1) server.behaviours.push({ kind: 'status', status: 503 });
    await expect(fetchIt()).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(server.requests).toHaveLength(3);
  });

  it('goes on as long as each attempt makes progress', async () => {
    for (let i = 0; i < 5; i += 1) server.behaviours.push({ kind: 'break-after', bytes: 40_000 });
    await fetchIt();
    expect(server.requests.length).toBeGreaterThan(INDEX.maxAttempts);
    expect(await fetched()).toBe(PINNED.sha256);
  });

  it('refuses a file with another SHA-256 and leaves nothing of it', async () => {
    await expect(fetchIt({ ...PINNED, sha256: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'HASH_MISMATCH',
    });
    expect(existsSync(destination)).toBe(false);
    expect(existsSync(`${destination}.partial`)).toBe(false);
  });

  it('refuses a file that is longer than pinned', async () => {
    const head = CONTENT.subarray(0, 1000);
    await expect(
      fetchIt({ file: 'a.whl', sha256: sha256(head), bytes: head.length }),
    ).rejects.toMatchObject({ code: 'HASH_MISMATCH' });
    expect(existsSync(`${destination}.partial`)).toBe(false);
  });

  it('fetches anew when what was left behind is damaged', async () => {
    const damaged = Buffer.from(CONTENT.subarray(0, 200_000));
    damaged.writeUInt8(damaged.readUInt8(17) ^ 1, 17);
    await writeFile(`${destination}.partial`, damaged);
    await fetchIt();
    expect(await fetched()).toBe(PINNED.sha256);
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=200000-', undefined]);
  });

  it('does not try again when the file is not there', async () => {
    server.behaviours.push({ kind: 'status', status: 404 });
    await expect(fetchIt()).rejects.toMatchObject({ code: 'WHEEL_NOT_FOUND' });
    expect(server.requests).toHaveLength(1);
  });
});
