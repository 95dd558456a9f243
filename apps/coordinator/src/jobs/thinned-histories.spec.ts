import type { StepRecord } from '@skipring/protocol';
import type { JobRecord } from '@skipring/redis';
import { describe, expect, it } from 'vitest';
import { ThinnedHistories } from './thinned-histories.js';

const PAGE = 100;

/** A store of steps that counts what is read of it. */
class CountingStore {
  numRead = 0;
  failing = false;

  async *stepPages(_: string, fromStep: number, toStep: number): AsyncGenerator<StepRecord[]> {
    for (let first = fromStep; first <= toStep; first += PAGE) {
      if (this.failing && first > fromStep) throw new Error('away');
      const size = Math.min(PAGE, toStep - first + 1);
      this.numRead += size;
      yield await Promise.resolve(Array.from({ length: size }, (_, i) => stepAt(first + i)));
    }
  }
}

function stepAt(step: number): StepRecord {
  const loss = Math.sin(step * 12.9898) + 2;
  return {
    ...{ step, epoch: 0, cursor: step, loss, accuracy: 0.5, learningRate: 0.1 },
    ...{ samples: 8, stepMs: 10 },
  };
}

function jobAt(step: number, generation = 1): JobRecord {
  return { id: 'job-1', attempt: 1, generation, progress: { step } } as JobRecord;
}

describe('ThinnedHistories', () => {
  it('reads of a history that it knows what it has grown by, with the same result', async () => {
    const store = new CountingStore();
    const histories = new ThinnedHistories(store);
    await histories.read(jobAt(9_950), 900);
    expect(store.numRead).toBe(9_950);
    const grown = await histories.read(jobAt(10_000), 900);
    expect(store.numRead).toBe(10_000);
    expect(await histories.read(jobAt(10_000), 900)).toEqual(grown);
    expect(store.numRead).toBe(10_000);
    expect(await new ThinnedHistories(new CountingStore()).read(jobAt(10_000), 900)).toEqual(grown);
  });

  it('reads for all who ask at once a single time, each up to the step of its asking', async () => {
    const store = new CountingStore();
    const histories = new ThinnedHistories(store);
    const [first, second] = await Promise.all([
      histories.read(jobAt(9_950), 900),
      histories.read(jobAt(10_000), 900),
    ]);
    expect(store.numRead).toBe(10_000);
    expect(first.at(-1)!.step).toBeLessThanOrEqual(9_950);
    expect(second.at(-1)!.step).toBeGreaterThan(9_900);
  });

  it('reads anew what another generation may have changed', async () => {
    const store = new CountingStore();
    const histories = new ThinnedHistories(store);
    await histories.read(jobAt(1_000), 90);
    await histories.read(jobAt(1_000, 2), 90);
    expect(store.numRead).toBe(2_000);
  });

  it('goes on where the store went away', async () => {
    const store = new CountingStore();
    const histories = new ThinnedHistories(store);
    store.failing = true;
    await expect(histories.read(jobAt(1_000), 90)).rejects.toThrow('away');
    store.failing = false;
    const read = await histories.read(jobAt(1_000), 90);
    expect(store.numRead).toBe(1_000);
    expect(read).toEqual(await new ThinnedHistories(new CountingStore()).read(jobAt(1_000), 90));
  });
});
