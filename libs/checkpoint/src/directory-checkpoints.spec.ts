import { mkdtemp, readdir, readFile, rm, truncate, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryCheckpoints } from './directory-checkpoints.js';
import { encodeSnapshot } from './snapshot-format.js';
import { sampleSnapshot } from './testing/sample-snapshot.js';

const fence = { jobId: 'job-1', attempt: 1, generation: 1 };
let root: string;
let store: DirectoryCheckpoints;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  store = await DirectoryCheckpoints.open(root);
});
afterEach(() => rm(root, { recursive: true }));

const save = (step: number, { keep = 3, best = 1, by = fence } = {}) =>
  store.save(by, encodeSnapshot(sampleSnapshot(step, best)), keep);
const steps = async (): Promise<number[]> => (await store.list('job-1')).map(({ step }) => step);

describe('stored checkpoints', () => {
  it('come back as they were, also after a restart', async () => {
    const entry = await save(10);
    const reopened = await DirectoryCheckpoints.open(root);
    const latest = await reopened.latest('job-1');
    expect(latest?.snapshot).toEqual(sampleSnapshot(10));
    expect(latest?.entry).toEqual(entry);
    expect(latest?.damaged).toEqual([]);
    expect(await reopened.readSnapshot('job-1', 10)).toEqual(sampleSnapshot(10));
  });

  it('hold the model as a file of the hash that is told', async () => {
    const { path, modelSha256 } = await save(10);
    const model = await store.readModel('job-1', 10);
    expect(Buffer.from(model)).toEqual(await readFile(join(path, 'model.safetensors')));
    const { sha256 } = await import('./sha256.js');
    expect(sha256(model)).toBe(modelSha256);
  });

  it('are listed newest first, the newest best one marked', async () => {
    for (const step of [10, 20, 30]) await save(step, { best: Math.min(step, 20) });
    const entries = await store.list('job-1');
    expect(entries.map(({ step, best }) => [step, best])).toEqual([
      [30, false],
      [20, true],
      [10, false],
    ]);
  });

  it('are kept as many as asked for, and the best', async () => {
    for (const step of [10, 20, 30, 40, 50]) await save(step, { keep: 2, best: 10 });
    expect(await steps()).toEqual([50, 40, 10]);
    await save(60, { keep: 2, best: 60 });
    await save(70, { keep: 2, best: 60 });
    expect(await steps()).toEqual([70, 60]);
    expect(await readdir(join(root, 'job-1'))).toHaveLength(2);
  });

  it('of an unknown job are none', async () => {
    expect(await store.list('other')).toEqual([]);
    expect(await store.latest('other')).toBeNull();
    await expect(store.readSnapshot('other', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are found at or before a step', async () => {
    for (const step of [10, 20, 30]) await save(step);
    expect((await store.latest('job-1', 25))?.entry.step).toBe(20);
    expect(await store.latest('job-1', 5)).toBeNull();
  });

  it('are gone after remove', async () => {
    await save(10);
    await store.remove('job-1');
    expect(await readdir(root)).toEqual([]);
  });

  it('may be saved by many at once', async () => {
    await Promise.all([30, 10, 20, 10, 30].map((step) => save(step)));
    expect(await steps()).toEqual([30, 20, 10]);
  });
});

describe('fencing', () => {
  it('refuses what an earlier attempt or generation saves', async () => {
    await save(10, { by: { ...fence, attempt: 2, generation: 5 } });
    for (const by of [
      fence,
      { ...fence, attempt: 2, generation: 4 },
      { ...fence, generation: 9 },
    ]) {
      await expect(save(20, { by })).rejects.toMatchObject({ code: 'STALE_FENCE' });
    }
    await save(20, { by: { ...fence, attempt: 3, generation: 1 } });
    expect(await steps()).toEqual([20, 10]);
  });

  it('holds after a restart, and from the moment that it is raised', async () => {
    await save(10, { by: { ...fence, attempt: 2 } });
    store = await DirectoryCheckpoints.open(root);
    await expect(save(20)).rejects.toMatchObject({ code: 'STALE_FENCE' });
    store.raiseFence({ ...fence, attempt: 3 });
    await expect(save(20, { by: { ...fence, attempt: 2 } })).rejects.toMatchObject({
      code: 'STALE_FENCE',
    });
  });

  it('prefers the later save of one step', async () => {
    await save(10);
    const later = await save(10, { by: { ...fence, generation: 2 } });
    expect((await store.list('job-1')).map(({ path }) => path)).toEqual([later.path]);
    expect(await readdir(join(root, 'job-1'))).toHaveLength(1);
  });

  it.each(['', '.', '..', '../x', 'a/b', '/etc', 'a\0b', '-x', 'x'.repeat(65), 'a\\b'])(
    'refuses the job id %j',
    async (jobId) => {
      const unsafe = { code: 'UNSAFE_ID' };
      await expect(save(1, { by: { ...fence, jobId } })).rejects.toMatchObject(unsafe);
      await expect(store.list(jobId)).rejects.toMatchObject(unsafe);
      await expect(store.remove(jobId)).rejects.toMatchObject(unsafe);
      await expect(store.latest(jobId)).rejects.toMatchObject(unsafe);
    },
  );
});

describe('damage', () => {
  const files = ['model.safetensors', 'optimizer.safetensors', 'manifest.json'];
  const damages: [string, (path: string) => Promise<void>][] = [
    ['missing', (path) => rm(path)],
    ['cut', (path) => truncate(path, 40)],
    ['empty', (path) => truncate(path, 0)],
    [
      'changed by a bit',
      async (path) => {
        const bytes = await readFile(path);
        bytes[bytes.length - 4]! ^= 1;
        await writeFile(path, bytes);
      },
    ],
  ];
  const cases = files.flatMap((file) => damages.map(([kind, damage]) => ({ file, kind, damage })));

  it.each(cases)('$file $kind: named, and the one before it is used', async ({ file, damage }) => {
    await save(10);
    const { path } = await save(20);
    await damage(join(path, file));
    const latest = await store.latest('job-1');
    expect(latest?.entry.step).toBe(10);
    expect(latest?.snapshot).toEqual(sampleSnapshot(10));
    expect(latest?.damaged.map(({ code }) => code)).toEqual(['DAMAGED_CHECKPOINT']);
    expect(latest?.damaged[0]?.message).toContain(join(path, file));
    await expect(store.readSnapshot('job-1', 20)).rejects.toThrow(join(path, file));
  });

  it('of an exponent in the manifest is found', async () => {
    const { path } = await save(10);
    const manifest = join(path, 'manifest.json');
    const text = await readFile(manifest, 'utf8');
    expect(text).toContain('24');
    await writeFile(manifest, text.replace('24', '25'));
    const latest = await store.latest('job-1');
    expect(latest).toBeNull();
  });

  it('is repaired by saving the step again', async () => {
    const { path } = await save(10);
    await truncate(join(path, 'model.safetensors'), 40);
    await save(10);
    expect((await store.latest('job-1'))?.damaged).toEqual([]);
  });

  it('cannot be uploaded', async () => {
    const bytes = encodeSnapshot(sampleSnapshot(10));
    bytes[bytes.length - 1]! ^= 1;
    await expect(store.save(fence, bytes, 3)).rejects.toMatchObject({ code: 'INVALID_SNAPSHOT' });
    expect(await store.list('job-1')).toEqual([]);
  });

  it('of a save that was cut off is cleaned up at the start, and never listed', async () => {
    await save(10);
    const left = join(root, 'job-1', '.tmp-0');
    await mkdir(left);
    await writeFile(join(left, 'model.safetensors'), 'half');
    expect(await steps()).toEqual([10]);
    await DirectoryCheckpoints.open(root);
    expect(await readdir(join(root, 'job-1'))).toEqual(['step-0000000010-a1-g1']);
  });
});
