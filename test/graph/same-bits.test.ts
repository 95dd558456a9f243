import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(
  new URL('../../libs/graph/dist/testing/hash-training.js', import.meta.url),
);
const NUM_STEPS = '30';

async function hashOfTraining(threads: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, threads, NUM_STEPS]);
  return stdout;
}

describe('the same training in processes of their own', () => {
  it.each(['1', '2'])(
    'gives the same bits, alone and side by side: %s threads',
    async (threads) => {
      const alone = await hashOfTraining(threads);
      expect(alone).toMatch(/^[0-9a-f]{64}$/);
      const together = await Promise.all([1, 2, 3].map(() => hashOfTraining(threads)));
      expect(new Set([alone, ...together]).size).toBe(1);
    },
  );
});
