import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryCheckpoints } from './directory-checkpoints.js';

/** Saves step after step, 1 MB each, and prints each step once it is durable. Runs the build. */
const SAVE_FOR_EVER = `
  import { DirectoryCheckpoints, encodeSnapshot } from '@skipring/checkpoint';
  const [root, first] = process.argv.slice(1);
  const store = await DirectoryCheckpoints.open(root);
  for (let step = Number(first); ; step++) {
    const tensors = new Map([['weights', { shape: [262144], values: new Float32Array(262144).fill(step) }]]);
    const position = { step, epoch: 0, cursor: 0 };
    const snapshot = { position, tensors, exponents: Int32Array.of(24), scores: { last: null, best: null } };
    await store.save({ jobId: 'job', attempt: 1, generation: 1 }, encodeSnapshot(snapshot), 2);
    console.log(step);
  }
`;
const NUM_KILLS = 12;

let root: string;
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'killed-'))));
afterEach(() => rm(root, { recursive: true }));

/** Kills a saving process `delayMs` after its first checkpoint; returns the last step it printed. */
async function saveAndKill(first: number, delayMs: number): Promise<number> {
  const args = ['--input-type=module', '-e', SAVE_FOR_EVER, root, String(first)];
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let last = 0;
  for await (const line of createInterface(child.stdout)) {
    if (last === 0) setTimeout(() => child.kill('SIGKILL'), delayMs);
    last = Number(line);
  }
  await exited;
  return last;
}

describe('a process killed while it saves', () => {
  it('leaves whole checkpoints, with all that it had told of', async () => {
    let first = 1;
    for (let kill = 0; kill < NUM_KILLS; kill++) {
      const last = await saveAndKill(first, (kill * 7.3) % 40);
      expect(last).toBeGreaterThanOrEqual(first);
      const store = await DirectoryCheckpoints.open(root);
      const latest = await store.latest('job');
      expect(latest?.damaged).toEqual([]);
      expect(latest?.entry.step).toBeGreaterThanOrEqual(last);
      expect(latest?.snapshot.tensors.get('weights')?.values[0]).toBe(latest?.entry.step);
      const left = await readdir(join(root, 'job'));
      expect(left.filter((name) => name.startsWith('.tmp-'))).toEqual([]);
      first = (latest?.entry.step ?? 0) + 1;
    }
  });
});
