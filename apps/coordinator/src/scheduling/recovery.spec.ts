import { beforeEach, describe, expect, it } from 'vitest';
import { recoverJobs } from './recovery.js';
import { MemoryStore } from './testing/memory-store.js';

const reason = 'the coordinator restarted';
let store: MemoryStore;
let requeued: [string, number][];
const queue = {
  requeue: (id: string, delayMs: number) => {
    // The state must be `pending` before an entry is added, or the turn would be lost.
    expect(store.records.get(id)?.state).toBe('pending');
    return Promise.resolve(void requeued.push([id, delayMs]));
  },
};

beforeEach(() => {
  store = new MemoryStore();
  requeued = [];
});

describe('after a restart', () => {
  it('jobs that ran or waited for workers are queued again, at the cost of no attempt', async () => {
    const record = store.add('running', { state: 'running', attempt: 2, attemptsBefore: 1 });
    store.records.set('running', {
      ...record,
      workers: ['w1', 'w2'],
      progress: { ...record.progress, step: 4, imagesPerSecond: 100, etaMs: 5 },
    });
    store.add('waiting', { state: 'waiting', attempt: 1 });
    await recoverJobs(store, queue);
    // Its workers hold its state: those that wait must not take them first.
    expect(requeued).toEqual([
      ['running', 0],
      ['waiting', 0],
    ]);
    expect(store.records.get('running')).toMatchObject({
      state: 'pending',
      reason,
      workers: [],
      attempt: 2,
      attemptsBefore: 2,
      progress: { step: 4, totalSteps: 10, imagesPerSecond: 0, etaMs: null },
    });
    expect(store.changes.map(({ id, change }) => [id, change.event])).toEqual([
      ['running', { type: 'state', state: 'pending', reason, attempt: 2 }],
      ['waiting', { type: 'state', state: 'pending', reason, attempt: 1 }],
    ]);
  });

  it('jobs that were being halted still are, until the states of their workers are stored', async () => {
    store.add('cancelled', { state: 'cancelling', attempt: 1, generation: 2, workers: ['w1'] });
    store.add('paused', { state: 'pausing', attempt: 3, generation: 1, workers: [] });
    const recovered = await recoverJobs(store, queue);
    expect([...recovered]).toEqual([
      ['cancelled', { expected: ['w1'], halt: 'cancelling' }],
      ['paused', { expected: 'unknown', halt: 'pausing' }],
    ]);
    expect(store.changes).toEqual([]);
    expect(requeued).toEqual([]);
  });

  it('jobs that were being cancelled before they had begun are cancelled', async () => {
    store.add('leaving', { state: 'cancelling', attempt: 1, workers: ['w1'] });
    await recoverJobs(store, queue);
    const record = store.records.get('leaving');
    expect(record).toMatchObject({ state: 'cancelled', workers: [] });
    expect(record?.finishedAt).not.toBeNull();
    expect(record?.reason).toContain(reason);
    expect(requeued).toEqual([]);
  });

  it('jobs that were being paused before they had begun are paused, at the cost of no attempt', async () => {
    store.add('leaving', { state: 'pausing', attempt: 3, attemptsBefore: 1, workers: ['w1'] });
    await recoverJobs(store, queue);
    const record = store.records.get('leaving');
    expect(record).toMatchObject({ state: 'paused', workers: [], finishedAt: null });
    expect(record?.attemptsBefore).toBe(2);
    expect(requeued).toEqual([]);
  });

  it('jobs that have ended or not begun stay as they are', async () => {
    for (const state of ['pending', 'succeeded', 'failed', 'cancelled'] as const) {
      store.add(state, { state });
    }
    await recoverJobs(store, queue);
    expect(store.changes).toEqual([]);
    expect(requeued).toEqual([]);
  });

  it('it can be begun again after it broke off', async () => {
    store.add('a', { state: 'running', attempt: 1 });
    store.add('b', { state: 'running', attempt: 1 });
    let numChanges = 0;
    store.gate = (call) => {
      if (call === 'change' && ++numChanges === 2) return Promise.reject(new Error('broken off'));
      return Promise.resolve();
    };
    await expect(recoverJobs(store, queue)).rejects.toThrow('broken off');
    await recoverJobs(store, queue);
    expect(requeued).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    expect(store.records.get('a')?.attemptsBefore).toBe(1);
    expect(store.records.get('b')?.attemptsBefore).toBe(1);
  });
});
