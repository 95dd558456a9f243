import { coordinatorMetrics } from '@skipring/metrics';
import {
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type Fence,
  type WorkerMessage,
} from '@skipring/protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClusterScheduler } from './cluster-scheduler.js';
import type { ReadyDataSets, WorkerLink } from './ports.js';
import { gate, MemoryStore } from './testing/memory-store.js';

type DataSet = NonNullable<Awaited<ReturnType<ReadyDataSets['ready']>>>;
type Hello = Extract<WorkerMessage, { type: 'hello' }>;

/** A worker's connection that keeps what it was sent. */
class Link implements WorkerLink {
  readonly sent: CoordinatorMessage[] = [];
  readonly closings: string[] = [];
  send(message: CoordinatorMessage): void {
    this.sent.push(message);
  }
  close(reason: string): void {
    this.closings.push(reason);
  }
  fence(type: 'prepare' | 'start' | 'stop'): Fence {
    const message = this.sent.findLast((candidate) => candidate.type === type);
    if (message === undefined || !('fence' in message)) throw new Error(`no ${type} was sent`);
    return message.fence;
  }
}

let store: MemoryStore;
let scheduler: ClusterScheduler;
let dataSet: DataSet | null;
let events: string[];

beforeEach(() => {
  store = new MemoryStore();
  events = [];
  const manifest = { splits: { train: { samples: 80 } } } as DataSet['manifest'];
  dataSet = { hash: 'a'.repeat(64), manifest };
  scheduler = new ClusterScheduler({
    store,
    queue: { requeue: () => Promise.resolve() },
    checkpoints: {
      latest: () => Promise.resolve({ step: null, damaged: [] }),
      raiseFence: () => undefined,
    },
    dataSets: { ready: () => Promise.resolve(dataSet) },
    metrics: coordinatorMetrics(),
    tracer: null,
    heartbeatTimeoutMs: 60_000,
    computeSilenceLimitMs: 60_000,
    takesFaults: false,
    maxWorkers: 4,
    onEvent: ({ type, jobId }) => events.push(`${type} of ${jobId}`),
    log: pino({ level: 'silent' }),
  });
});

afterEach(() => scheduler.close(1_000));

function hello(workerId: string): Hello {
  return {
    type: 'hello',
    protocolVersion: PROTOCOL_VERSION,
    workerId,
    host: 'localhost',
    ringPort: 4_000,
    device: { kind: 'cpu', name: 'test', memoryBytes: 0 },
    threads: 1,
    takesFaults: false,
    held: null,
  };
}

function connect(workerId: string): Link {
  const link = new Link();
  scheduler.workerConnected(hello(workerId), link);
  return link;
}

/** Brings a job to its first generation on one worker. */
async function running(jobId: string): Promise<{ link: Link; fence: Fence }> {
  const link = connect('w1');
  store.add(jobId);
  await scheduler.enqueue(jobId);
  const fence = link.fence('prepare');
  const position = { step: 0, epoch: 0, cursor: 0 };
  scheduler.workerMessage('w1', link, { type: 'ready', fence, position, stateHash: 's' });
  expect(scheduler.isCurrent(fence)).toBe(true);
  return { link, fence };
}

/** Everything that was decided is stored. */
async function settled(jobId: string): Promise<string | undefined> {
  await scheduler.close(1_000);
  return store.records.get(jobId)?.state;
}

describe('the turn of a job', () => {
  it('makes it wait for workers, as a new attempt', async () => {
    store.add('a');
    await scheduler.enqueue('a');
    expect(store.records.get('a')).toMatchObject({ state: 'waiting', attempt: 1 });
    expect(scheduler.liveJob('a')).toMatchObject({ workers: [], imagesPerSecond: 0, etaMs: null });
    expect(events).toContain('state of a');
  });

  it('that comes twice begins one attempt', async () => {
    store.add('a');
    await Promise.all([scheduler.enqueue('a'), scheduler.enqueue('a')]);
    await scheduler.enqueue('a');
    expect(store.records.get('a')?.attempt).toBe(1);
    const attempts = store.changes.flatMap(({ change }) => change.fields?.attempt ?? []);
    expect(attempts).toEqual([1]);
  });

  it.each(['cancelled', 'failed', 'succeeded', 'waiting', 'running'] as const)(
    'of a job that is %s changes nothing',
    async (state) => {
      store.add('a', { state });
      await scheduler.enqueue('a');
      expect(store.changes).toEqual([]);
      expect(scheduler.liveJob('a')).toBeNull();
    },
  );

  it('comes before it is paused, when its workers may still hold more than is stored', async () => {
    store.add('a');
    await scheduler.recover(new Map([['a', { expected: ['w1'], halt: null }]]));
    expect(await scheduler.pause('a')).toBe('pausing');
    expect(scheduler.liveJob('a')?.reason).toContain('waits for w1 to come back');
  });

  it('that cannot come does not keep a recovered job from being paused', async () => {
    dataSet = null;
    store.add('a');
    await scheduler.recover(new Map([['a', { expected: ['w1'], halt: null }]]));
    expect(await scheduler.pause('a')).toBe('paused');
  });

  it('whose data set is not ready fails, and can come again', async () => {
    const ready = dataSet;
    dataSet = null;
    store.add('a');
    await expect(scheduler.enqueue('a')).rejects.toThrow('data set tiny is not ready');
    expect(store.records.get('a')?.state).toBe('pending');
    dataSet = ready;
    await scheduler.enqueue('a');
    expect(store.records.get('a')?.state).toBe('waiting');
  });
});

describe('a cancel', () => {
  it('of a job that is not known says so', async () => {
    expect(await scheduler.cancel('none')).toBe('missing');
  });

  it.each(['succeeded', 'failed', 'cancelled'] as const)(
    'of a %s job is refused',
    async (state) => {
      store.add('a', { state });
      expect(await scheduler.cancel('a')).toBe('refused');
      expect(store.changes).toEqual([]);
    },
  );

  it('before its turn ends it, and the turn comes to nothing', async () => {
    store.add('a');
    expect(await scheduler.cancel('a')).toBe('cancelled');
    await scheduler.enqueue('a');
    expect(store.statesOf('a')).toEqual(['cancelled']);
    expect(scheduler.liveJob('a')).toBeNull();
  });

  it('twice at once succeeds once', async () => {
    store.add('a');
    const results = await Promise.all([scheduler.cancel('a'), scheduler.cancel('a')]);
    expect(results.sort()).toEqual(['cancelled', 'refused']);
    expect(store.statesOf('a')).toEqual(['cancelled']);
  });

  it('of a job that waits for workers ends it', async () => {
    store.add('a');
    await scheduler.enqueue('a');
    expect(await scheduler.cancel('a')).toBe('cancelled');
    expect(store.records.get('a')?.state).toBe('cancelled');
    expect(connect('w1').sent).toEqual([]);
  });

  it.each(['get', 'nextAttempt', 'change'] as const)(
    'while its turn is at the store to %s waits for that',
    async (held) => {
      store.add('a');
      const turn = gate();
      const cancelled = gate();
      store.gate = async (call) => {
        if (call !== held) return;
        store.gate = () => Promise.resolve();
        cancelled.open();
        await turn.opened;
      };
      const entering = scheduler.enqueue('a');
      await cancelled.opened;
      const cancelling = scheduler.cancel('a');
      turn.open();
      await entering;
      expect(await cancelling).toBe('cancelled');
      expect(await settled('a')).toBe('cancelled');
      expect(scheduler.liveJob('a')).toBeNull();
    },
  );

  it('that is being stored when the turn comes wins', async () => {
    store.add('a');
    const storing = gate();
    const asked = gate();
    store.gate = async (call) => {
      if (call !== 'change') return;
      store.gate = () => Promise.resolve();
      asked.open();
      await storing.opened;
    };
    const cancelling = scheduler.cancel('a');
    await asked.opened;
    storing.open();
    await scheduler.enqueue('a');
    expect(await cancelling).toBe('cancelled');
    expect(await settled('a')).toBe('cancelled');
    expect(scheduler.liveJob('a')).toBeNull();
  });

  it('of a job that trains lets it store a checkpoint first, also when asked twice', async () => {
    const { link, fence } = await running('a');
    expect(await scheduler.cancel('a')).toBe('cancelling');
    expect(store.records.get('a')?.state).toBe('cancelling');
    expect(link.sent.at(-1)).toMatchObject({ type: 'stop', fence, checkpoint: true });
    expect(await scheduler.cancel('a')).toBe('cancelling');
    expect(link.sent.filter(({ type }) => type === 'stop')).toHaveLength(1);
    scheduler.checkpointStored(fence, { step: 0, bytes: 1, modelSha256: 'm', best: false });
    scheduler.workerMessage('w1', link, { type: 'stopped', fence });
    expect(scheduler.isCurrent(fence)).toBe(false);
    expect(await settled('a')).toBe('cancelled');
    expect(await scheduler.cancel('a')).toBe('refused');
  });

  it('while the store is away fails, and changes nothing', async () => {
    store.add('a');
    store.isAway = true;
    await expect(scheduler.cancel('a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    store.isAway = false;
    expect(store.changes).toEqual([]);
  });

  it('of a job that its record says to run, but nobody runs, ends it', async () => {
    store.add('a', { state: 'running', workers: ['gone'] });
    expect(await scheduler.cancel('a')).toBe('cancelled');
    expect(store.records.get('a')).toMatchObject({ state: 'cancelled', workers: [] });
  });
});

describe('a job that is resumed', () => {
  it('begins a new attempt, and reports of the old one are ignored', async () => {
    const { link, fence: old } = await running('a');
    await scheduler.cancel('a');
    scheduler.workerMessage('w1', link, { type: 'stopped', fence: old });
    await vi.waitFor(() => {
      expect(store.records.get('a')?.state).toBe('cancelled');
    });
    const record = store.records.get('a')!;
    store.records.set('a', { ...record, state: 'pending', attemptsBefore: record.attempt });
    await scheduler.enqueue('a');
    const fence = link.fence('prepare');
    expect(fence.attempt).toBe(old.attempt + 1);
    expect(scheduler.isCurrent(old)).toBe(false);
    const position = { step: 0, epoch: 0, cursor: 0 };
    const ready = { type: 'ready', position, stateHash: 's' } as const;
    scheduler.workerMessage('w1', link, { ...ready, fence: old });
    expect(scheduler.liveJob('a')?.generation).toBe(fence.generation);
    expect(link.sent.at(-1)?.type).toBe('prepare');
    scheduler.workerMessage('w1', link, { ...ready, fence });
    expect(link.sent.at(-1)?.type).toBe('start');
    expect(link.fence('start')).toEqual(fence);
  });
});

describe('connections', () => {
  it('of one worker: the newest counts, what the older says is ignored', async () => {
    const older = connect('w1');
    const newer = connect('w1');
    expect(older.closings).toEqual(['the worker connected anew']);
    scheduler.workerDisconnected('w1', older, 'closed');
    scheduler.workerMessage('w1', older, { type: 'leave', reason: 'old', graceMs: 30_000 });
    expect(scheduler.workers()).toMatchObject([{ id: 'w1', state: 'idle' }]);
    expect(newer.closings).toEqual([]);
    store.add('a');
    await scheduler.enqueue('a');
    expect(older.sent).toEqual([]);
    expect(newer.fence('prepare').jobId).toBe('a');
  });

  it('that end take the worker away', () => {
    const link = connect('w1');
    scheduler.workerDisconnected('w1', link, 'closed');
    expect(scheduler.workers()).toEqual([]);
    expect(scheduler.drain('w1')).toBe(false);
  });

  it('of a worker that is drained while idle get its release', () => {
    const link = connect('w1');
    expect(scheduler.drain('w1')).toBe(true);
    expect(link.sent).toEqual([{ type: 'released' }]);
  });

  it('that are lost make their job wait, and it goes on with another worker', async () => {
    const { link, fence } = await running('a');
    scheduler.workerDisconnected('w1', link, 'closed');
    expect(scheduler.liveJob('a')?.workers).toEqual([]);
    const other = connect('w2');
    expect(other.fence('prepare')).toEqual({ ...fence, generation: fence.generation + 1 });
    expect(scheduler.isCurrent(fence)).toBe(false);
  });
});

describe('while the store is away', () => {
  it('training goes on, and all of it is stored when the store is back', async () => {
    const { link, fence } = await running('a');
    store.isAway = true;
    const report = (step: number): Exclude<WorkerMessage, Hello> => ({
      type: 'step',
      fence,
      rank: 0,
      step,
      parts: { dataWaitMs: 0, computeMs: 4, ringMs: 0, commitMs: 0, applyMs: 0 },
      ringBytes: 1,
      samples: 8,
      metrics: {
        step,
        epoch: 0,
        cursor: 8 * step,
        loss: 1,
        accuracy: 0,
        learningRate: 0.1,
        samples: 8,
        stepMs: 4,
      },
      stateHash: null,
    });
    for (const step of [1, 2, 3]) scheduler.workerMessage('w1', link, report(step));
    expect(scheduler.liveJob('a')).toMatchObject({ imagesPerSecond: 2_000, etaMs: 28 });
    store.isAway = false;
    expect(await settled('a')).toBe('running');
    const steps = store.changes.flatMap(({ change }) => change.step?.step ?? []);
    expect(steps).toEqual([1, 2, 3]);
    expect(store.records.get('a')?.progress.step).toBe(3);
    expect(scheduler.workers()).toMatchObject([{ state: 'busy', imagesPerSecond: 2_000 }]);
    await scheduler.cancel('a');
    scheduler.workerMessage('w1', link, { type: 'stopped', fence });
    expect(scheduler.workers()).toMatchObject([{ state: 'idle', imagesPerSecond: 0 }]);
  });
});
