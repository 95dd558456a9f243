import type { Snapshot } from '@skipring/trainer';
import { describe, expect, it, vi } from 'vitest';
import { CheckpointWriter } from './checkpoint-writer.js';

function due(step: number, bestStep = 0) {
  const score = { step: bestStep, accuracy: 0.5 };
  const snapshot: Snapshot = {
    position: { step, epoch: 0, cursor: step },
    tensors: new Map(),
    exponents: new Int32Array(),
    scores: { last: score, best: score },
  };
  return { snapshot, heldMs: step / 10 };
}

/** A writer whose storage answers when the test says so. */
class Bench {
  readonly begun: number[] = [];
  readonly outcomes: string[] = [];
  private settle: { resolve: () => void; reject: (error: Error) => void } | null = null;

  readonly writer = new CheckpointWriter(({ position: { step } }, signal) => {
    this.begun.push(step);
    return new Promise((resolve, reject) => {
      this.settle = {
        resolve: () => {
          resolve({ modelSha256: `m${step}` });
        },
        reject,
      };
      signal.addEventListener('abort', () => {
        reject(new Error('aborted'));
      });
    });
  });

  submit(step: number, bestStep?: number): void {
    this.writer.submit(due(step, bestStep), this.tell);
  }

  readonly tell = ({ step, result, heldMs }: { step: number; result: string; heldMs: number }) => {
    expect(heldMs).toBe(step / 10);
    this.outcomes.push(`${step} ${result}`);
  };

  /** Settles what is under way, and waits until the next has begun if there is to be one. */
  async stored(error?: Error): Promise<void> {
    const { length } = this.outcomes;
    if (error === undefined) this.settle?.resolve();
    else this.settle?.reject(error);
    await vi.waitFor(() => {
      expect(this.outcomes.length).toBeGreaterThan(length);
    });
    await new Promise((done) => setImmediate(done));
  }
}

describe('the checkpoint writer', () => {
  it('stores one at a time, and of those that wait the newest', async () => {
    const bench = new Bench();
    for (const step of [10, 20, 30, 40]) bench.submit(step);
    expect(bench.begun).toEqual([10]);
    await bench.stored();
    await bench.stored();
    expect(bench.begun).toEqual([10, 40]);
    expect(bench.outcomes).toEqual(['20 skipped', '30 skipped', '10 stored', '40 stored']);
  });

  it('keeps the best that waits', async () => {
    const bench = new Bench();
    bench.submit(10);
    bench.submit(20, 20);
    bench.submit(30, 20);
    await bench.stored();
    await bench.stored();
    expect(bench.outcomes).toEqual(['30 skipped', '10 stored', '20 stored']);
    bench.submit(40);
    bench.submit(50, 50);
    bench.submit(60, 60);
    await bench.stored();
    expect(bench.begun).toEqual([10, 20, 40, 60]);
  });

  it('goes on after a failure, which it tells of', async () => {
    const bench = new Bench();
    bench.submit(10);
    await bench.stored(new Error('no space left'));
    bench.submit(20);
    await bench.stored();
    expect(bench.outcomes).toEqual(['10 failed', '20 stored']);
  });

  it('stores the last one at once, in place of all others', async () => {
    const bench = new Bench();
    for (const step of [10, 20]) bench.submit(step);
    const saved = bench.writer.save(due(30), bench.tell);
    await vi.waitFor(() => {
      expect(bench.begun).toEqual([10, 30]);
    });
    await bench.stored();
    expect(await saved).toEqual({ modelSha256: 'm30' });
    expect(bench.outcomes).toEqual(['20 skipped', '10 skipped', '30 stored']);
  });

  it('fails the caller when the last one can not be stored', async () => {
    const bench = new Bench();
    const saved = bench.writer.save(due(30), bench.tell);
    const failure = expect(saved).rejects.toThrow('no space left');
    await vi.waitFor(() => {
      expect(bench.begun).toEqual([30]);
    });
    await bench.stored(new Error('no space left'));
    await failure;
    expect(bench.outcomes).toEqual(['30 failed']);
  });
});
