import type { Fence, FaultView } from '@skipring/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { FaultBook, MAX_FAULTS } from './fault-book.js';

const jobId = 'job-1';
const fence = (generation: number, attempt = 1): Fence => ({ jobId, attempt, generation });
const kill = { kind: 'kill', rank: 1, step: 5, phase: 'vote' } as const;

let nowMs: number;
let book: FaultBook;

beforeEach(() => {
  nowMs = 1_000_000;
  book = new FaultBook(() => nowMs);
});

function arm(fault: FaultView['fault'] = kill): FaultView {
  const view = book.arm({ jobId, fault });
  if (view === null) throw new Error('the book is full');
  return view;
}

describe('FaultBook', () => {
  it('hands a fault to the worker at its rank, until it has struck', () => {
    const { id } = arm();
    expect(book.forRank(jobId, 1)).toEqual([{ id, fault: kill }]);
    expect(book.forRank(jobId, 0)).toEqual([]);
    expect(book.forRank('job-2', 1)).toEqual([]);
    book.fired(id, fence(1), 'w1', ['w0', 'w1']);
    expect(book.forRank(jobId, 1)).toEqual([]);
    expect(book.fired(id, fence(1), 'w1', ['w0', 'w1'])).toBeNull();
  });

  it('measures until the others have left, and until a later generation commits', () => {
    const { id } = arm();
    book.fired(id, fence(3), 'w1', ['w0', 'w1', 'w2']);
    nowMs += 40;
    book.left('w0', fence(3), true);
    book.left('w2', fence(3), false);
    book.committed(fence(3));
    expect(book.get(id)).toMatchObject({ state: 'fired', workerId: 'w1', abortMs: null });
    nowMs += 60;
    book.left('w2', fence(4), false);
    nowMs += 900;
    book.committed(fence(4));
    nowMs += 100;
    book.committed(fence(5));
    expect(book.get(id)).toMatchObject({ abortMs: 100, recoverMs: 1_000 });
  });

  it('knows that a later attempt is a later generation', () => {
    const { id } = arm();
    book.fired(id, fence(7), 'w1', ['w1']);
    book.committed(fence(1, 2));
    expect(book.get(id)).toMatchObject({ abortMs: null, recoverMs: 0 });
  });

  it('cancels what is armed, once', () => {
    const { id } = arm();
    expect(book.cancel(id)?.state).toBe('cancelled');
    expect(book.cancel(id)).toBeNull();
    expect(book.fired(id, fence(1), 'w1', [])).toBeNull();
    expect(book.cancel('fault-99')).toBeNull();
  });

  it('lets faults expire with the attempt of their job', () => {
    const struck = arm();
    const waiting = arm();
    book.fired(struck.id, fence(1), 'w1', ['w0', 'w1']);
    book.ended(jobId);
    book.committed(fence(2));
    expect(book.list().map(({ state, recoverMs }) => [state, recoverMs])).toEqual([
      ['fired', null],
      ['expired', null],
    ]);
    expect(book.get(waiting.id)?.state).toBe('expired');
  });

  it('fills the disk for as many checkpoints as asked, from a step on', () => {
    arm({ kind: 'fillDisk', step: 10, count: 2 });
    const full = [5, 10, 20, 30].map((step) => book.strikeDisk(jobId, step) !== null);
    expect(full).toEqual([false, true, true, false]);
    expect(book.strikeDisk('job-2', 10)).toBeNull();
  });

  it('forgets the oldest fault that is over, and refuses more than it can hold', () => {
    const first = arm();
    for (let i = 1; i < MAX_FAULTS; i += 1) arm();
    expect(book.arm({ jobId, fault: kill })).toBeNull();
    book.cancel(first.id);
    expect(book.arm({ jobId, fault: kill })).not.toBeNull();
    expect(book.get(first.id)).toBeNull();
  });
});
