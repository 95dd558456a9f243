import type { CoordinatorMessage, Fence, WorkerMessage } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { HeldState } from './held-state.js';

const fence = (generation: number, jobId = 'job'): Fence => ({ jobId, attempt: 1, generation });

const ready = (step: number): WorkerMessage => ({
  type: 'ready',
  fence: fence(3),
  position: { step, epoch: 0, cursor: 0 },
  stateHash: 's',
});

const stop = (checkpoint: boolean): CoordinatorMessage => ({
  type: 'stop',
  fence: fence(3),
  checkpoint,
  reason: 'a test',
});

const load = (jobId: string): CoordinatorMessage =>
  ({ type: 'load', fence: fence(1, jobId) }) as CoordinatorMessage;

const checkpoint = (
  step: number,
  result: 'stored' | 'failed' | 'skipped',
  generation = 3,
): WorkerMessage => ({
  type: 'checkpoint',
  fence: fence(generation),
  step,
  result,
  reason: '',
  heldMs: 0,
});

/** A worker that holds step 40 of a job, and what it was told and has said since. */
function heldAfter(told: CoordinatorMessage, ...said: WorkerMessage[]): HeldState['current'] {
  const held = new HeldState();
  held.sent(ready(40));
  held.received(told);
  for (const message of said) held.sent(message);
  return held.current;
}

describe('the state that a worker tells of', () => {
  const kept = { jobId: 'job', step: 40 };

  it('is that of its last report', () => {
    const held = new HeldState();
    expect(held.current).toBeNull();
    held.sent(ready(40));
    expect(held.current).toEqual(kept);
    held.sent({ type: 'step', fence: fence(3), step: 41 } as WorkerMessage);
    expect(held.current).toEqual({ jobId: 'job', step: 41 });
  });

  it('is gone at once with a stop that wants nothing stored, and with another job', () => {
    expect(heldAfter(stop(false))).toBeNull();
    expect(heldAfter(load('other'))).toBeNull();
    expect(heldAfter(load('job'))).toEqual(kept);
  });

  it('is kept by a stop until the checkpoint that it wants is acknowledged', () => {
    expect(heldAfter(stop(true))).toEqual(kept);
    expect(heldAfter(stop(true), checkpoint(40, 'stored'))).toBeNull();
  });

  it('is kept when the checkpoint of the stop could not be stored', () => {
    const stopped: WorkerMessage = { type: 'stopped', fence: fence(3) };
    expect(heldAfter(stop(true), checkpoint(40, 'failed'), stopped)).toEqual(kept);
    expect(heldAfter(stop(true), checkpoint(40, 'skipped'))).toEqual(kept);
  });

  it('is kept when an earlier checkpoint is acknowledged', () => {
    expect(heldAfter(stop(true), checkpoint(30, 'stored'))).toEqual(kept);
    expect(heldAfter(stop(true), checkpoint(40, 'stored', 2))).toEqual(kept);
  });

  it('is kept by a checkpoint that no stop has asked for', () => {
    expect(heldAfter(load('job'), checkpoint(40, 'stored'))).toEqual(kept);
  });
});
