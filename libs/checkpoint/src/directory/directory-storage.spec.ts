import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Checkpoints } from '../checkpoints.js';
import { encodeSnapshot } from '../snapshot-format.js';
import { checkpointsConformance, type Place } from '../testing/conformance.js';
import { sampleSnapshot } from '../testing/sample-snapshot.js';
import { DirectoryStorage } from './directory-storage.js';
import { writeDurably } from './durable-files.js';

async function directoryPlace(): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  return {
    open: () => new DirectoryStorage(root),
    paths: async () => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
    },
    read: (path) => readFile(join(root, path)),
    write: (path, bytes) => writeFile(join(root, path), bytes),
    remove: (path) => rm(join(root, path)),
    leaveHalf: async (jobId) => {
      const left = join(root, jobId, '.tmp-0');
      await mkdir(left);
      await writeFile(join(left, 'model.safetensors'), 'half');
    },
    close: () => rm(root, { recursive: true }),
  };
}

describe('checkpoints in a directory', () => {
  checkpointsConformance(directoryPlace);

  it('name a missing manifest, as a damaged disk may leave one', async () => {
    const place = await directoryPlace();
    const store = await Checkpoints.open(place.open());
    const fence = { jobId: 'job', attempt: 1, generation: 1 };
    const policy = { keep: 3, keepBest: true, keepEveryEpochs: 0 };
    for (const step of [10, 20]) {
      await store.save(fence, encodeSnapshot(sampleSnapshot(step)), policy);
    }
    await place.remove('job/step-0000000020-a1-g1/manifest.json');
    const latest = await store.latest('job');
    expect(latest.newest?.entry.step).toBe(10);
    expect(latest.damaged[0]?.message).toContain('step-0000000020-a1-g1/manifest.json');
    await place.close();
  });

  it.each(['model.safetensors', 'optimizer.safetensors', 'manifest.json'])(
    'of a disk that is full at %s leave nothing behind, and the one before it whole',
    async (fullAt) => {
      const place = await directoryPlace();
      const root = await mkdtemp(join(tmpdir(), 'checkpoints-'));
      let isFull = false;
      const storage = new DirectoryStorage(root, async (path, bytes) => {
        if (!isFull || !path.endsWith(fullAt)) return writeDurably(path, bytes);
        await writeFile(path, bytes.subarray(0, bytes.length / 2));
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      });
      const store = await Checkpoints.open(storage);
      const fence = { jobId: 'job', attempt: 1, generation: 1 };
      const policy = { keep: 3, keepBest: true, keepEveryEpochs: 0 };
      await store.save(fence, encodeSnapshot(sampleSnapshot(10)), policy);
      isFull = true;
      const failing = store.save(fence, encodeSnapshot(sampleSnapshot(20)), policy);
      await expect(failing).rejects.toMatchObject({ code: 'STORAGE_FULL' });
      expect(await readdir(join(root, 'job'))).toEqual(['step-0000000010-a1-g1']);
      expect((await store.latest('job')).newest?.snapshot).toEqual(sampleSnapshot(10));
      isFull = false;
      await store.save(fence, encodeSnapshot(sampleSnapshot(20)), policy);
      expect((await store.latest('job')).newest?.entry.step).toBe(20);
      await rm(root, { recursive: true });
      await place.close();
    },
  );
});
