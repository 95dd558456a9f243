import type { Fence } from '@skipring/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoints } from '../checkpoints.js';
import { sha256 } from '../sha256.js';
import { encodeSnapshot } from '../snapshot-format.js';
import type { CheckpointStorage } from '../storage.js';
import { sampleSnapshot } from './sample-snapshot.js';

/** A place of a storage adapter, with a way around the adapter: paths are `JOB/CHECKPOINT/FILE`. */
export interface Place {
  open(): CheckpointStorage;
  paths(): Promise<string[]>;
  read(path: string): Promise<Buffer>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  /** Leaves what a writer does that is killed before its manifest is stored. */
  leaveHalf(jobId: string): Promise<void>;
  close(): Promise<void>;
}

const fence: Fence = { jobId: 'job-1', attempt: 1, generation: 1 };
const FILES = ['manifest.json', 'model.safetensors', 'optimizer.safetensors'];

/** What every adapter of the storage port must do, through the class that uses it. */
export function checkpointsConformance(makePlace: () => Promise<Place>): void {
  let place: Place;
  let store: Checkpoints;

  beforeEach(async () => {
    place = await makePlace();
    store = await Checkpoints.open(place.open());
  });
  afterEach(async () => {
    store.close();
    await place.close();
  });

  const policyOf = (keep: number) => ({ keep, keepBest: true, keepEveryEpochs: 0 });
  const save = (step: number, { keep = 3, best = 1, by = fence } = {}) =>
    store.save(by, encodeSnapshot(sampleSnapshot(step, best)), policyOf(keep));
  const steps = async (): Promise<number[]> => (await store.list('job-1')).map(({ step }) => step);
  const pathOf = (step: number, file: string): string =>
    `job-1/step-${String(step).padStart(10, '0')}-a1-g1/${file}`;
  const reopen = async (): Promise<void> => {
    store.close();
    store = await Checkpoints.open(place.open());
  };

  describe('stored checkpoints', () => {
    it('come back as they were, also after a restart', async () => {
      const entry = await save(10);
      await reopen();
      const latest = await store.latest('job-1');
      expect(latest.newest?.snapshot).toEqual(sampleSnapshot(10));
      expect(latest.newest?.entry).toEqual(entry);
      expect(latest.damaged).toEqual([]);
      expect(await store.readSnapshot('job-1', 10)).toEqual(sampleSnapshot(10));
    });

    it('hold the model as a file of the hash that is told', async () => {
      const { modelSha256 } = await save(10);
      const model = await store.readModel('job-1', 10);
      expect(Buffer.from(model)).toEqual(await place.read(pathOf(10, 'model.safetensors')));
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
      expect(await place.paths()).toHaveLength(2 * FILES.length);
    });

    it('of an unknown job are none', async () => {
      expect(await store.list('other')).toEqual([]);
      expect((await store.latest('other')).newest).toBeNull();
      expect((await store.readWeights('other')).newest).toBeNull();
      await expect(store.readSnapshot('other', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('are found at or before a step', async () => {
      for (const step of [10, 20, 30]) await save(step);
      expect((await store.latest('job-1', 25)).newest?.entry.step).toBe(20);
      expect((await store.latest('job-1', 5)).newest).toBeNull();
    });

    it('are gone after remove, and those of other jobs are not', async () => {
      await save(10);
      await save(10, { by: { ...fence, jobId: 'job-10' } });
      await store.remove('job-1');
      expect((await place.paths()).map((path) => path.split('/')[0])).toEqual(
        FILES.map(() => 'job-10'),
      );
      // One that was under way meanwhile would be left for ever.
      await expect(save(10)).rejects.toMatchObject({ code: 'STALE_FENCE' });
    });

    it('may be saved by many at once', async () => {
      await Promise.all([30, 10, 20, 10, 30].map((step) => save(step)));
      expect(await steps()).toEqual([30, 20, 10]);
    });

    it('may have files of several parts', async () => {
      const values = Float32Array.from({ length: 5_000_000 }, (_, i) => i);
      const tensors = new Map([['weights', { shape: [values.length], values }]]);
      const bytes = encodeSnapshot({ ...sampleSnapshot(10), tensors });
      await store.save(fence, bytes, policyOf(1));
      const latest = await store.latest('job-1');
      const read = latest.newest?.snapshot.tensors.get('weights')?.values ?? new Float32Array();
      expect(Buffer.from(read.buffer).equals(Buffer.from(values.buffer))).toBe(true);
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
      await reopen();
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
      expect(await place.paths()).toHaveLength(FILES.length);
    });

    it.each(['', '.', '..', '../x', 'a/b', '/etc', 'a\0b', '-x', 'x'.repeat(65), 'a\\b'])(
      'refuses the job id %j',
      async (jobId) => {
        const unsafe = { code: 'UNSAFE_ID' };
        await expect(save(1, { by: { ...fence, jobId } })).rejects.toMatchObject(unsafe);
        await expect(store.list(jobId)).rejects.toMatchObject(unsafe);
        await expect(store.remove(jobId)).rejects.toMatchObject(unsafe);
        await expect(store.latest(jobId)).rejects.toMatchObject(unsafe);
        await expect(store.readWeights(jobId)).rejects.toMatchObject(unsafe);
      },
    );
  });

  describe('damage', () => {
    const damages: [string, (bytes: Buffer) => Buffer | null][] = [
      ['missing', () => null],
      ['cut', (bytes) => bytes.subarray(0, 40)],
      ['empty', () => Buffer.alloc(0)],
      [
        'changed by a bit',
        (bytes) => {
          bytes[bytes.length - 4]! ^= 1;
          return bytes;
        },
      ],
    ];
    const cases = FILES.flatMap((file) => damages.map(([kind, change]) => ({ file, kind, change })))
      // Without its manifest a checkpoint is none: see `of a writer that was killed`.
      .filter(({ file, kind }) => file !== 'manifest.json' || kind !== 'missing');

    async function damage(path: string, change: (bytes: Buffer) => Buffer | null): Promise<void> {
      const changed = change(await place.read(path));
      if (changed === null) await place.remove(path);
      else await place.write(path, changed);
    }

    it.each(cases)('$file $kind: named, and the one before it is used', async (damaged) => {
      await save(10);
      const { path } = await save(20);
      await damage(pathOf(20, damaged.file), damaged.change);
      const latest = await store.latest('job-1');
      expect(latest.newest?.entry.step).toBe(10);
      expect(latest.newest?.snapshot).toEqual(sampleSnapshot(10));
      expect(latest.damaged.map(({ code }) => code)).toEqual(['DAMAGED_CHECKPOINT']);
      expect(latest.damaged[0]?.message).toContain(`${path}/${damaged.file}`);
      await expect(store.readSnapshot('job-1', 20)).rejects.toThrow(`${path}/${damaged.file}`);
    });

    it('of an exponent in the manifest is found', async () => {
      await save(10);
      const manifest = pathOf(10, 'manifest.json');
      const text = (await place.read(manifest)).toString();
      expect(text).toContain('24');
      await place.write(manifest, Buffer.from(text.replace('24', '25')));
      expect((await store.latest('job-1')).newest).toBeNull();
    });

    it('is repaired by saving the step again', async () => {
      await save(10);
      await damage(pathOf(10, 'model.safetensors'), (bytes) => bytes.subarray(0, 40));
      await save(10);
      expect((await store.latest('job-1')).damaged).toEqual([]);
    });

    it('cannot be uploaded', async () => {
      const bytes = encodeSnapshot(sampleSnapshot(10));
      bytes[bytes.length - 1]! ^= 1;
      await expect(store.save(fence, bytes, policyOf(3))).rejects.toMatchObject({
        code: 'INVALID_SNAPSHOT',
      });
      expect(await store.list('job-1')).toEqual([]);
    });

    it('of a writer that was killed is never listed, and cleaned up at the start', async () => {
      await save(10);
      await place.leaveHalf('job-1');
      expect((await place.paths()).length).toBeGreaterThan(FILES.length);
      expect(await steps()).toEqual([10]);
      expect((await store.latest('job-1')).damaged).toEqual([]);
      await reopen();
      expect((await place.paths()).sort()).toEqual(FILES.map((file) => pathOf(10, file)));
    });
  });

  describe('weights alone', () => {
    const names = async (step?: number) => [
      ...((await store.readWeights('job-1', step)).newest?.weights.keys() ?? []),
    ];

    it('are parameters and moving statistics, without optimizer slots', async () => {
      await save(10);
      await save(20);
      const read = await store.readWeights('job-1');
      expect(read.newest?.entry.step).toBe(20);
      const { tensors } = sampleSnapshot(20);
      expect(read.newest?.weights.get('weights')).toEqual(tensors.get('weights'));
      expect(await names()).toEqual(['moving_mean', 'weights']);
      expect((await store.readWeights('job-1', 15)).newest?.entry.step).toBe(10);
    });

    it('are read though the optimizer is damaged, and not when they are', async () => {
      await save(10);
      await save(20);
      await place.remove(pathOf(20, 'optimizer.safetensors'));
      expect((await store.readWeights('job-1')).newest?.entry.step).toBe(20);
      await place.remove(pathOf(20, 'model.safetensors'));
      const read = await store.readWeights('job-1');
      expect(read.newest?.entry.step).toBe(10);
      expect(read.damaged[0]?.message).toContain('model.safetensors');
    });
  });
}
