import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoints } from '../checkpoints.js';
import { DirectoryStorage } from './directory-storage.js';

/** Saves step after step, 1 MB each, and prints each step once it is durable. Runs the build. */
const SAVE_FOR_EVER = `
  import { Checkpoints, DirectoryStorage, encodeSnapshot } from '@skipring/checkpoint';
  const [root, first] = process.argv.slice(1);
  const store = await Checkpoints.open(new DirectoryStorage(root));
  const policy = { keep: 2, keepBest: true, keepEveryEpochs: 0 };
  for (let step = Number(first); ; step++) {
    const tensors = new Map([['weights', { shape: [262144], values: new Float32Array(262144).fill(step) }]]);
    const position = { step, epoch: 0, cursor: 0 };
    const snapshot = { position, tensors, exponents: Int32Array.of(24), scores: { last: null, best: null } };
    await store.save({ jobId: 'job', attempt: 1, generation: 1 }, encodeSnapshot(snapshot), policy);
    console.log(step);
  }
`;
/** In the full form: `SKIPRING_KILLS=200 npx vitest run --project unit killed-save`. */
const NUM_KILLS = Number(process.env.SKIPRING_KILLS ?? 12);
/** Kills between saves prove nothing: at least so many must cut one off. */
const NUM_CUT_OFF = NUM_KILLS / 3;
/** Where a kill falls is the machine's doing: on none is a save so short that this is not enough. */
const MOST_KILLS = 10 * NUM_KILLS;
/** A save takes a good 10 ms: kills fall anywhere in it, also beside the removal of an old one. */
const LONGEST_DELAY_MS = 40;
const KILL_TIMEOUT_MS = 5_000;

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
  it(
    'leaves whole checkpoints, with all that it had told of',
    async () => {
      let first = 1;
      let numCutOff = 0;
      for (let kill = 0; kill < NUM_KILLS || numCutOff < NUM_CUT_OFF; kill++) {
        expect(kill, `kills, of which ${numCutOff} cut a save off`).toBeLessThan(MOST_KILLS);
        // Multiples of the golden ratio: spread over the whole range, and the same in every run.
        const last = await saveAndKill(first, ((kill * 0.618034) % 1) * LONGEST_DELAY_MS);
        expect(last).toBeGreaterThanOrEqual(first);
        const isTemporary = (name: string): boolean => name.startsWith('.tmp-');
        if ((await readdir(join(root, 'job'))).some(isTemporary)) numCutOff += 1;
        const store = await Checkpoints.open(new DirectoryStorage(root));
        const latest = await store.latest('job');
        expect(latest.damaged).toEqual([]);
        expect(latest.newest?.entry.step).toBeGreaterThanOrEqual(last);
        expect(latest.newest?.snapshot.tensors.get('weights')?.values[0]).toBe(
          latest.newest?.entry.step,
        );
        expect((await readdir(join(root, 'job'))).filter(isTemporary)).toEqual([]);
        first = (latest.newest?.entry.step ?? 0) + 1;
      }
    },
    30_000 + MOST_KILLS * KILL_TIMEOUT_MS,
  );
});
