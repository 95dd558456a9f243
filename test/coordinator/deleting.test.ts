import { readdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newTokenSchema, sweepViewSchema } from '@skipring/protocol';
import { closeConnection, connectForCommands, DataSetStore, RunStore } from '@skipring/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  jobIn,
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { FakeWorker } from '../support/fake-worker.js';
import { idxFiles, writeIdx } from '../support/idx.js';
import { expectProblem } from '../support/problem.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { trainOneStep } from '../support/train-one-step.js';
import { until } from '../support/until.js';

const PREFIX = 'deleting';
const later = waitingJob({ delayMs: 3_600_000 });

let redis: TestRedis;
let connection: ReturnType<typeof connectForCommands>;
let coordinator: TestCoordinator;
let root: string;

beforeAll(async () => {
  redis = await startTestRedis();
  connection = connectForCommands({ url: redis.url, keyPrefix: '', onError: () => undefined });
  root = await mkdtemp(join(tmpdir(), 'skipring-root-'));
  coordinator = await startCoordinator(redis.url, { keyPrefix: PREFIX, dataRoots: [root] });
  await settleDataSet(coordinator, tinyGlyphs);
});
afterAll(async () => {
  await coordinator.close();
  await closeConnection(connection);
  await redis.stop();
  await rm(root, { recursive: true });
});

function remove(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return coordinator.send(path, { method: 'DELETE', headers });
}

async function expectGone(path: string): Promise<void> {
  expect((await remove(path)).status).toBe(204);
}

async function cancelled(): Promise<string> {
  const { id } = await submit(coordinator, later);
  expect((await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(200);
  return id;
}

/** Keys of the store that have a text in their names. */
function keysWith(text: string): Promise<string[]> {
  return connection.keys(`${PREFIX}:*${text}*`);
}

async function listed(): Promise<string[]> {
  const answer = await coordinator.send('/jobs?view=summary&limit=1000');
  return ((await answer.json()) as { items: { id: string }[] }).items.map(({ id }) => id);
}

async function tokenOf(name: string): Promise<Record<string, string>> {
  const answer = await coordinator.send('/tokens', { json: { name, role: 'submitter' } });
  const { token } = newTokenSchema.parse(await answer.json());
  return { authorization: `Bearer ${token}` };
}

const storedBytes = (field: string): Promise<string | null> =>
  connection.hget(`${PREFIX}:storage:anonymous`, field);
const filesIn = (...path: string[]): Promise<string[]> =>
  readdir(join(coordinator.options.dataDirectory, ...path)).catch(() => []);

describe('a job that is deleted', () => {
  it('is gone with its histories, checkpoints, exports and bytes', async () => {
    const worker = await FakeWorker.join(coordinator.url, 'w1');
    const id = await trainOneStep(coordinator, worker);
    await worker.leave();
    await (await coordinator.send(`/jobs/${id}/model/savedmodel/saved_model.pb`)).text();
    await (await coordinator.send(`/jobs/${id}/model/torch/model.safetensors`)).text();
    expect(await filesIn('checkpoints')).toContain(id);
    expect(Number(await storedBytes(id))).toBeGreaterThan(0);

    await expectGone(`/jobs/${id}`);
    for (const part of ['', '/metrics', '/events', '/checkpoints', '/model', '/ledger']) {
      await expectProblem(await coordinator.send(`/jobs/${id}${part}`), 404, 'JOB_UNKNOWN');
    }
    await expectProblem(await remove(`/jobs/${id}`), 404, 'JOB_UNKNOWN');
    expect(await listed()).not.toContain(id);
    expect(await keysWith(id)).toEqual([]);
    expect(await storedBytes(id)).toBeNull();
    expect(await filesIn('checkpoints')).not.toContain(id);
    expect((await filesIn('exports')).filter((name) => name.startsWith(id))).toEqual([]);
    const entries = await until('the audit log has it', async () => {
      const answer = await coordinator.send('/audit');
      const { items } = (await answer.json()) as { items: { method: string; path: string }[] };
      const found = items.filter(
        ({ method, path }) => method === 'DELETE' && path.endsWith(`/jobs/${id}`),
      );
      return found.length === 2 ? found : null;
    });
    expect(entries).toMatchObject([
      { method: 'DELETE', status: 404 },
      { method: 'DELETE', status: 204 },
    ]);
  });

  it('must have ended, and belong to who deletes it', async () => {
    const { id } = await submit(coordinator, later);
    await expectProblem(await remove(`/jobs/${id}`), 409, 'JOB_NOT_ENDED');
    await coordinator.send(`/jobs/${id}/pause`, { method: 'POST' });
    await expectProblem(await remove(`/jobs/${id}`), 409, 'JOB_NOT_ENDED');
    await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
    const [owner, other] = [await tokenOf('owner'), await tokenOf('other')];
    await expectProblem(await remove(`/jobs/${id}`, owner), 403, 'FORBIDDEN');
    await expectGone(`/jobs/${id}`);

    const own = await submit(coordinator, later, owner);
    await coordinator.send(`/jobs/${own.id}/cancel`, { method: 'POST', headers: owner });
    await expectProblem(await remove(`/jobs/${own.id}`, other), 403, 'FORBIDDEN');
    expect((await remove(`/jobs/${own.id}`, owner)).status).toBe(204);
  });

  it('is not made again by its idempotency key', async () => {
    const headers = { 'idempotency-key': 'made-once' };
    const { id } = await submit(coordinator, later, headers);
    await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
    await expectGone(`/jobs/${id}`);
    const again = await coordinator.send('/jobs', { json: later, headers });
    const { detail } = await expectProblem(again, 409, 'IDEMPOTENCY_KEY_REUSED');
    expect(detail).toContain('was deleted');
  });

  it('may be deleted by many at once', async () => {
    const id = await cancelled();
    const answers = await Promise.all(Array.from({ length: 8 }, () => remove(`/jobs/${id}`)));
    expect(new Set(answers.map(({ status }) => status))).toContain(204);
    expect(answers.every(({ status }) => [204, 404].includes(status))).toBe(true);
    expect(await keysWith(id)).toEqual([]);
  });

  it('is gone at a repetition or the next start when it was cut off', async () => {
    const [first, second] = [await cancelled(), await cancelled()];
    const store = new RunStore(connection, PREFIX);
    for (const id of [first, second]) {
      expect(await store.removals.begin(id)).toMatchObject({ outcome: 'done' });
      await expectProblem(await coordinator.send(`/jobs/${id}`), 404, 'JOB_UNKNOWN');
      expect(await listed()).not.toContain(id);
    }
    await expectProblem(await remove(`/jobs/${first}`, await tokenOf('third')), 403, 'FORBIDDEN');
    await expectGone(`/jobs/${first}`);
    expect(await keysWith(first)).toEqual([]);

    const { dataDirectory } = coordinator.options;
    await coordinator.close();
    coordinator = await startCoordinator(redis.url, {
      ...{ keyPrefix: PREFIX, dataRoots: [root], dataDirectory },
    });
    expect(await keysWith(second)).toEqual([]);
    expect(await store.removals.ids()).toEqual([]);
    await settleDataSet(coordinator, { ...tinyGlyphs, name: 'after-restart' });
  });

  it('does not keep its sweep from going on', async () => {
    const { model, data, training, lanes } = waitingJob();
    const sweep = {
      ...{ apiVersion: 'skipring/v1', name: 'rates', strategy: { kind: 'grid' }, parallel: 1 },
      job: { model, data: { ...data, dataSet: 'after-restart' }, training, lanes },
      parameters: { seed: { values: [1, 2] } },
    };
    const answer = await coordinator.send('/sweeps', { json: sweep });
    const { id } = sweepViewSchema.parse(await answer.json());
    const trialsOf = async () =>
      sweepViewSchema.parse(await (await coordinator.send(`/sweeps/${id}`)).json()).trials;
    const first = await until('the first trial', async () => (await trialsOf())[0]?.jobId ?? null);
    await expectProblem(await remove('/data-sets/after-restart'), 409, 'DATA_SET_IN_USE');
    await coordinator.send(`/jobs/${first}/cancel`, { method: 'POST' });
    await jobIn(coordinator, first, 'cancelled');
    await expectGone(`/jobs/${first}`);
    await until('the second trial', async () => (await trialsOf())[1]?.jobId ?? null);
    expect((await trialsOf())[0]).toMatchObject({ state: 'cancelled', jobId: first });
    await coordinator.send(`/sweeps/${id}/cancel`, { method: 'POST' });
  });
});

describe('a data set that is removed', () => {
  const idx = (name: string) => ({ name, format: 'idx' as const, path: join(root, name) });

  it('is gone with what was prepared of it, and not with what it was made of', async () => {
    await writeIdx(join(root, 'mine'), idxFiles());
    const { state, owner } = await settleDataSet(coordinator, idx('mine'));
    expect({ state, owner }).toEqual({ state: 'ready', owner: 'anonymous' });
    await (await coordinator.send('/data-sets/mine/classes')).text();
    const prepared = (await filesIn('data-sets')).filter((name) => name.startsWith('mine-'));
    expect(prepared).toHaveLength(1);
    expect(Number(await storedBytes('data-set:mine'))).toBeGreaterThan(0);

    const other = await tokenOf('stranger');
    await expectProblem(await remove('/data-sets/mine', other), 403, 'FORBIDDEN');
    await expectGone('/data-sets/mine');
    await expectProblem(await coordinator.send('/data-sets/mine'), 404, 'DATA_SET_UNKNOWN');
    await expectProblem(await coordinator.send('/data-sets/mine/classes'), 404, 'DATA_SET_UNKNOWN');
    await expectProblem(await remove('/data-sets/mine'), 404, 'DATA_SET_UNKNOWN');
    expect(await storedBytes('data-set:mine')).toBeNull();
    expect((await filesIn('data-sets')).filter((name) => name.startsWith('mine-'))).toEqual([]);
    expect(await readdir(join(root, 'mine'))).toEqual(Object.keys(idxFiles()).sort());
    // The name is free, for other data too.
    const again = { name: 'mine', format: 'glyphs', trainSamples: 20, testSamples: 10 } as const;
    expect((await settleDataSet(coordinator, again)).manifest?.height).toBe(32);
  });

  it('is kept while a job that has not ended uses it, which is named', async () => {
    const { id } = await submit(coordinator, later);
    const { detail } = await expectProblem(await remove('/data-sets/tiny'), 409, 'DATA_SET_IN_USE');
    expect(detail).toContain(id);
    expect((await coordinator.send('/data-sets/tiny')).status).toBe(200);
    await coordinator.send(`/jobs/${id}/cancel`, { method: 'POST' });
    await expectGone('/data-sets/tiny');
    await coordinator.send(`/jobs/${id}/resume`, { method: 'POST' });
    const { reason } = await jobIn(coordinator, id, 'failed');
    expect(reason).toBe('data set tiny cannot be used: it is not registered');
  });

  it('is no longer prepared', async () => {
    const large = { ...tinyGlyphs, name: 'large', trainSamples: 1_000_000 };
    expect((await coordinator.send('/data-sets', { json: large })).status).toBe(201);
    await until('it is being prepared', async () =>
      (await filesIn('data-sets')).some((name) => name.startsWith('large-')) ? true : null,
    );
    await expectGone('/data-sets/large');
    const small = await settleDataSet(coordinator, { ...tinyGlyphs, name: 'large' });
    expect(small.manifest?.splits.train.samples).toBe(tinyGlyphs.trainSamples);
    const left = (await filesIn('data-sets')).filter((name) => name.startsWith('large-'));
    expect(left).toHaveLength(1);
  });

  it('is gone at a repetition or a registration when it was cut off', async () => {
    const store = new DataSetStore(connection, PREFIX);
    const cut = { ...tinyGlyphs, name: 'cut' };
    const prepared = async () =>
      (await filesIn('data-sets')).filter((name) => name.startsWith('cut-'));
    await settleDataSet(coordinator, cut);
    expect(await store.beginRemoval('cut')).toBe(true);
    await expectProblem(await coordinator.send('/data-sets/cut'), 404, 'DATA_SET_UNKNOWN');
    await expectGone('/data-sets/cut');
    expect(await prepared()).toEqual([]);

    await settleDataSet(coordinator, cut);
    await store.beginRemoval('cut');
    const [before] = await prepared();
    expect((await settleDataSet(coordinator, cut)).state).toBe('ready');
    expect(await prepared()).toHaveLength(1);
    expect(await prepared()).not.toContain(before);
    expect(await store.removals()).toEqual([]);
  });
});
