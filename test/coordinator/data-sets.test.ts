import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataSetViewSchema, type DataSetView } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  getJob,
  jobIn,
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { idxFiles, writeIdx, type IdxFiles } from '../support/idx.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';

let redis: TestRedis;
let coordinator: TestCoordinator;
let root: string;

beforeAll(async () => {
  redis = await startTestRedis();
  root = await mkdtemp(join(tmpdir(), 'skipring-root-'));
  coordinator = await startCoordinator(redis.url, { dataRoots: [root] });
});

afterAll(async () => {
  await coordinator.close();
  await redis.stop();
  await rm(root, { recursive: true });
});

function register(registration: object): Promise<Response> {
  return coordinator.send('/data-sets', { json: registration });
}

async function viewIn(response: Response): Promise<DataSetView> {
  return dataSetViewSchema.parse(await response.json());
}

/** Settles a data set of IDX files in a directory of its own. */
async function settleIdx(name: string, files: IdxFiles): Promise<DataSetView> {
  const path = join(root, name);
  await writeIdx(path, files);
  return settleDataSet(coordinator, { name, format: 'idx', path });
}

describe('a data set', () => {
  it('that is generated becomes ready, with a manifest and a hash', async () => {
    const registered = await register(tinyGlyphs);
    expect(registered.status).toBe(201);
    expect(await viewIn(registered)).toMatchObject({ name: 'tiny', state: 'preparing' });
    const view = await settleDataSet(coordinator, tinyGlyphs);
    expect(view).toMatchObject({ state: 'ready', reason: '' });
    expect(view.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(view.manifest).toMatchObject({ height: 32, width: 32, channels: 1 });
    expect(view.manifest!.splits.train.samples).toBe(tinyGlyphs.trainSamples);
  });

  it('of IDX files becomes ready', async () => {
    const view = await settleIdx('good-idx', idxFiles());
    expect(view).toMatchObject({ state: 'ready', reason: '' });
    expect(view.manifest).toMatchObject({ height: 8, width: 8, channels: 1, classes: ['0', '1'] });
  });

  it('registered again is not prepared again, whatever defaults are written out', async () => {
    const before = await settleDataSet(coordinator, tinyGlyphs);
    const again = await register({ ...tinyGlyphs, seed: 1 });
    expect(again.status).toBe(200);
    expect(await viewIn(again)).toEqual(before);
  });

  it('registered many times at once is registered once', async () => {
    const registration = { ...tinyGlyphs, name: 'at-once' };
    const answers = await Promise.all(Array.from({ length: 8 }, () => register(registration)));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array<number>(7).fill(200),
      201,
    ]);
    const views = await Promise.all(answers.map(viewIn));
    expect(new Set(views.map(({ createdAt }) => createdAt)).size).toBe(1);
    expect(await settleDataSet(coordinator, registration)).toMatchObject({ state: 'ready' });
  });

  it('is in the list, by name', async () => {
    await settleDataSet(coordinator, { ...tinyGlyphs, name: 'another' });
    const response = await coordinator.send('/data-sets');
    const { items } = (await response.json()) as { items: DataSetView[] };
    const names = items.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(names).toContain('another');
    expect(items.find(({ name }) => name === 'another')).toEqual(
      await viewIn(await coordinator.send('/data-sets/another')),
    );
  });

  it('behind a link that leads out of the roots is refused', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'skipring-outside-'));
    await writeIdx(outside, idxFiles());
    await symlink(outside, join(root, 'link'));
    for (const path of [join(root, 'link'), join(root, '..'), `${root}-other`]) {
      const { errors } = await expectProblem(
        await register({ name: 'outside', format: 'idx', path }),
        422,
        'REQUEST_INVALID',
      );
      expect(errors).toEqual([
        {
          field: '/path',
          value: JSON.stringify(path),
          expected: expect.stringContaining(root) as string,
        },
      ]);
    }
    await rm(outside, { recursive: true });
  });
});

describe('bad IDX files', () => {
  const good = idxFiles();
  const cut = (bytes: Buffer, length: number): Buffer => bytes.subarray(0, bytes.length - length);
  const patched = (bytes: Buffer, position: number, value: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[position] = value;
    return copy;
  };
  const images = 'train-images-idx3-ubyte';
  const labels = 'train-labels-idx1-ubyte';
  const testLabels = 't10k-labels-idx1-ubyte';

  it.each([
    { name: 'truncated', file: images, bytes: cut(good[images], 1), code: 'TRUNCATED', at: 655 },
    {
      name: 'wrong-magic',
      file: images,
      bytes: patched(good[images], 3, 1),
      code: 'WRONG_MAGIC',
      at: 0,
    },
    {
      name: 'other-count',
      file: labels,
      bytes: cut(patched(good[labels], 7, 9), 1),
      code: 'COUNT_MISMATCH',
      at: 4,
    },
    {
      name: 'label-out-of-range',
      file: testLabels,
      bytes: patched(good[testLabels], 10, 9),
      code: 'LABEL_OUT_OF_RANGE',
      at: 10,
    },
    {
      name: 'too-long',
      file: labels,
      bytes: Buffer.concat([good[labels], Buffer.of(0)]),
      code: 'TRAILING_BYTES',
      at: 18,
    },
  ])('($name) fail with the file and the position', async ({ name, file, bytes, code, at }) => {
    const view = await settleIdx(name, { ...good, [file]: bytes });
    expect(view).toMatchObject({ state: 'failed', hash: null, manifest: null });
    expect(view.reason).toContain(`${code}: ${join(root, name, file)} at byte ${at}: `);
  });

  it('can be repaired and registered again, at once', async () => {
    const name = 'repaired';
    const path = join(root, name);
    await mkdir(path);
    const failed = await settleDataSet(coordinator, { name, format: 'idx', path });
    expect(failed.reason).toContain('NOT_FOUND');
    for (const [file, bytes] of Object.entries(good)) await writeFile(join(path, file), bytes);
    const view = await settleDataSet(coordinator, { name, format: 'idx', path });
    expect(view).toMatchObject({ state: 'ready', reason: '' });
  });

  it('refuse the jobs that would use them', async () => {
    await settleIdx('unusable', { ...good, [images]: cut(good[images], 5) });
    const response = await coordinator.send('/jobs', {
      json: waitingJob({ data: { dataSet: 'unusable' } }),
    });
    const { errors } = await expectProblem(response, 422, 'REQUEST_INVALID');
    expect(errors).toEqual([
      {
        field: '/data/dataSet',
        value: '"unusable"',
        expected: expect.stringContaining('TRUNCATED') as string,
      },
    ]);
  });

  it('fail the jobs that waited for them', async () => {
    const path = join(root, 'awaited');
    await writeIdx(path, { ...good, [images]: cut(good[images], 5) });
    // The queue prepares one after the other, so the job comes before the end of the second.
    await register({ ...tinyGlyphs, name: 'busy', trainSamples: 4_000 });
    await register({ name: 'awaited', format: 'idx', path });
    const { id, reason } = await submit(coordinator, waitingJob({ data: { dataSet: 'awaited' } }));
    expect(reason).toBe('waits for data set awaited to be prepared');
    const job = await jobIn(coordinator, id, 'failed');
    expect(job.reason).toContain('data set awaited cannot be used');
    expect(job.reason).toContain('TRUNCATED');
  });
});

describe('a job on a data set that is being prepared', () => {
  it('waits for it, learns its length and goes on', async () => {
    const registration = { ...tinyGlyphs, name: 'soon', trainSamples: 4_000 };
    await register(registration);
    const { id, progress } = await submit(coordinator, waitingJob({ data: { dataSet: 'soon' } }));
    expect(progress).toMatchObject({ totalSteps: 0, totalEpochs: 0 });
    await jobIn(coordinator, id, 'waiting');
    expect((await getJob(coordinator, id)).progress).toMatchObject({
      totalSteps: 500,
      totalEpochs: 1,
    });
  });
});

describe('a shard', () => {
  let path: string;
  let bytes: Buffer;
  let sha256: string;

  beforeAll(async () => {
    const { hash, manifest } = await settleDataSet(coordinator, tinyGlyphs);
    const shard = manifest!.splits.train.shards[0]!;
    path = `/internal/data-sets/${hash}/shards/${shard.file}`;
    ({ sha256 } = shard);
    const response = await coordinator.send(path);
    bytes = Buffer.from(await response.arrayBuffer());
  });

  const range = (value: string): Promise<Response> =>
    coordinator.send(path, { headers: { range: value } });

  it('is served whole, with its hash as the tag', async () => {
    const response = await coordinator.send(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe(`"${sha256}"`);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    const body = Buffer.from(await response.arrayBuffer());
    expect(createHash('sha256').update(body).digest('hex')).toBe(sha256);
  });

  it('is described without its bytes to HEAD', async () => {
    const response = await coordinator.send(path, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    expect(await response.text()).toBe('');
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=100-299', 100, 300],
    ['bytes=1000-', 1_000, Infinity],
    ['bytes=-16', -16, Infinity],
    ['bytes=5-999999999', 5, Infinity],
  ])('is served in part for %s', async (value, start, end) => {
    const response = await range(value);
    const expected = bytes.subarray(start, end);
    const first = start < 0 ? bytes.length + start : start;
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(
      `bytes ${first}-${first + expected.length - 1}/${bytes.length}`,
    );
    expect(Buffer.from(await response.arrayBuffer()).equals(expected)).toBe(true);
  });

  it.each(['bytes=5-2', 'bytes=a-b', 'bytes=0-1,4-5', 'items=0-1'])(
    'is served whole for %s, which is no range of its bytes',
    async (value) => {
      const response = await range(value);
      expect(response.status).toBe(200);
      expect((await response.arrayBuffer()).byteLength).toBe(bytes.length);
    },
  );

  it('has no range behind its end', async () => {
    const response = await range(`bytes=${bytes.length}-`);
    expect(response.headers.get('content-range')).toBe(`bytes */${bytes.length}`);
    await expectProblem(response, 416, 'RANGE_NOT_SATISFIABLE');
  });
});
