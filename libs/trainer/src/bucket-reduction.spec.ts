import { describe, expect, it } from 'vitest';
import { BucketReduction } from './bucket-reduction.js';
import type { Generation } from './generation.js';
import { layoutOf } from './testing/arithmetic-vector.js';

const deferred = (): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (e: Error) => void;
} => {
  let resolve = (): void => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

/** A generation whose ring does what the test says, with a vector of two buckets. */
function generation(reduction: 'exact' | 'bfloat16' = 'exact', numBuckets: 1 | 2 = 2) {
  const shapes = [4, 3, 2].map((size, index) => ({
    name: `tensor ${index}`,
    kind: 'gradient' as const,
    shape: [size],
  }));
  const layout = layoutOf(shapes, numBuckets);
  const vector = new Int32Array(layout.length);
  const calls: { begin: number; length: number; wire: string | undefined }[] = [];
  const operations: ReturnType<typeof deferred>[] = [];
  const phases: string[] = [];
  const g = {
    vector,
    spec: { reduction },
    deadlineMs: 1_000,
    state: { engine: { layout }, position: { step: 6 } },
    onPhase: (phase: string, step: number) => void phases.push(`${phase} ${step}`),
    collective: {
      busyMs: 0,
      allReduce: (part: Int32Array, _deadlineMs: number, wire?: string) => {
        calls.push({ begin: part.byteOffset / 4, length: part.length, wire });
        operations.push(deferred());
        return operations.at(-1)!.promise;
      },
    },
  } as unknown as Generation;
  return { reduction: new BucketReduction(g), layout, calls, operations, phases };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('BucketReduction', () => {
  it('begins a bucket at once, and the rest in order when it finishes', async () => {
    const { reduction, calls, operations, phases, layout } = generation();
    await reduction.begin(0);
    expect(calls).toEqual([{ begin: 4, length: 5, wire: undefined }]);
    const finished = reduction.finish();
    await turn();
    const tail = layout.length - layout.metricsOffset;
    expect(calls.slice(1)).toEqual([
      { begin: 0, length: 4, wire: undefined },
      { begin: 9, length: tail, wire: undefined },
    ]);
    expect(phases).toEqual(['reduce 7']);
    for (const { resolve } of operations) resolve();
    await finished;
  });

  it('makes the same calls when nothing was begun before', async () => {
    const early = generation();
    await early.reduction.begin(0);
    await early.reduction.begin(1);
    const late = generation();
    for (const { reduction } of [early, late]) void reduction.finish();
    await turn();
    expect(late.calls).toEqual(early.calls);
    expect(late.phases).toEqual(early.phases);
  });

  it('reduces a vector of one bucket as a whole, once it is complete', async () => {
    const { reduction, calls, layout } = generation('exact', 1);
    await reduction.begin(0);
    expect(calls).toEqual([]);
    void reduction.finish();
    await turn();
    expect(calls).toEqual([{ begin: 0, length: layout.length, wire: undefined }]);
  });

  it('rounds buckets on the wire, and never counts and flags', async () => {
    const { reduction, calls } = generation('bfloat16');
    void reduction.finish();
    await turn();
    expect(calls.map(({ wire }) => wire)).toEqual(['bfloat16', 'bfloat16', undefined]);
  });

  it('refuses the next bucket, and to finish, with the error of one before', async () => {
    const { reduction, operations } = generation();
    await reduction.begin(0);
    operations[0]!.reject(new Error('a peer was lost'));
    await turn();
    await expect(reduction.begin(1)).rejects.toThrow('a peer was lost');
    await expect(reduction.finish()).rejects.toThrow('a peer was lost');
  });
});
