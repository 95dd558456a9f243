import { describe, expect, it } from 'vitest';
import { allReduce } from '../all-reduce.js';
import { spawn } from './spawn.js';

describe('spawn', () => {
  it('resolves with what each rank returned', async () => {
    const sums = await spawn(4, async (transport) => {
      const vector = Int32Array.of(10 ** transport.rank);
      await allReduce(transport, vector, { deadlineMs: 10_000 });
      return vector[0];
    });
    expect(sums).toEqual([1111, 1111, 1111, 1111]);
  });

  it('rejects with the error of a rank, and frees the others', async () => {
    const ended: number[] = [];
    const failing = spawn(3, async (transport) => {
      try {
        if (transport.rank === 1) throw new Error('rank 1 has a bug');
        await allReduce(transport, new Int32Array(10), { deadlineMs: 120_000 });
      } finally {
        ended.push(transport.rank);
      }
    });
    await expect(failing).rejects.toThrow('rank 1 has a bug');
    expect(ended.sort()).toEqual([0, 1, 2]);
  }, 10_000);
});
