import { describe, expect, it } from 'vitest';
import { toRemove, type RetentionPolicy } from './retention.js';

const STEPS_PER_EPOCH = 4;

/** Checkpoints of steps 2, 4, ... 24, of which step 6 was the best. */
const checkpoints = Array.from({ length: 12 }, (_, i) => {
  const step = 2 * (i + 1);
  const position = {
    step,
    epoch: Math.floor(step / STEPS_PER_EPOCH),
    cursor: step % STEPS_PER_EPOCH,
  };
  return { step, attempt: 1, generation: 1, best: step === 6, position };
});

function kept(policy: Partial<RetentionPolicy>): number[] {
  const whole = { keep: 1, keepBest: false, keepEveryEpochs: 0, ...policy };
  const removed = new Set(toRemove(checkpoints, whole));
  return checkpoints.filter((checkpoint) => !removed.has(checkpoint)).map(({ step }) => step);
}

describe('toRemove', () => {
  it('keeps the newest', () => {
    expect(kept({ keep: 3 })).toEqual([20, 22, 24]);
  });

  it('keeps the best, when that is asked for', () => {
    expect(kept({ keepBest: true })).toEqual([6, 24]);
  });

  it('keeps the end of each so many epochs', () => {
    expect(kept({ keepEveryEpochs: 1 })).toEqual([4, 8, 12, 16, 20, 24]);
    expect(kept({ keepEveryEpochs: 2, keepBest: true })).toEqual([6, 8, 16, 24]);
  });

  it('keeps the first after an epoch whose end has none', () => {
    const policy = { keep: 1, keepBest: false, keepEveryEpochs: 2 };
    const removed = toRemove(
      checkpoints.filter(({ step }) => step !== 8 && step !== 16),
      policy,
    ).map(({ step }) => step);
    expect(removed).toEqual([22, 20, 14, 12, 6, 4, 2]);
  });

  it('keeps what is newest though its manifest can not be read', () => {
    const unread = { step: 30, attempt: 1, generation: 1, best: false, position: null };
    const policy = { keep: 1, keepBest: false, keepEveryEpochs: 1 };
    expect(toRemove([...checkpoints, unread], policy)).not.toContain(unread);
  });
});
