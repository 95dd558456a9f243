import { describe, expect, it } from 'vitest';
import type { Collective } from './ports.js';
import { TrainingState } from './state.js';
import { synchroniseState } from './synchronise.js';
import { ArithmeticEngine } from './testing/arithmetic-engine.js';
import { InProcessRing } from './testing/in-process-collective.js';

function stateOf(step: number, numFeatures = 4): TrainingState {
  const options = { numFeatures, numClasses: 3, laneSize: 2, seed: step };
  const state = new TrainingState(new ArithmeticEngine(options));
  state.position = { step, epoch: 0, cursor: step * 8 };
  state.exponents.fill(10 + step);
  state.scores = { last: { step, accuracy: 0.5 }, best: { step: 1, accuracy: 1 / 3 } };
  return state;
}

function synchronise(
  states: readonly TrainingState[],
  sourceRank: number,
  wrap: (collective: Collective) => Collective = (collective) => collective,
): Promise<PromiseSettledResult<boolean>[]> {
  const ring = new InProcessRing(states.length);
  return Promise.allSettled(
    ring.collectives.map(async (collective, rank) => {
      const options = { collective: wrap(collective), sourceRank, deadlineMs: 1_000 };
      try {
        return await synchroniseState({ ...options, state: states[rank]! });
      } catch (error) {
        ring.abort('a rank left');
        throw error;
      }
    }),
  );
}

const fulfilled = (value: boolean) => ({ status: 'fulfilled', value });

describe('synchroniseState', () => {
  it('brings ranks that are behind, or new, to the source', async () => {
    const states = [stateOf(3), stateOf(5), stateOf(0), stateOf(5)];
    const results = await synchronise(states, 1);
    expect(results).toEqual([true, false, true, false].map(fulfilled));
    for (const state of states) expect(state.snapshot()).toEqual(stateOf(5).snapshot());
  });

  it('sends no tensors when all states are equal', async () => {
    const states = [stateOf(5), stateOf(5)];
    let numBytes = 0;
    const results = await synchronise(states, 0, (collective) =>
      observed(collective, (bytes) => (numBytes += bytes.length)),
    );
    expect(results).toEqual([false, false].map(fulfilled));
    expect(numBytes).toBeLessThan(1_000);
  });

  it('takes over what evaluations have found, also where the tensors are equal', async () => {
    const states = [stateOf(5), stateOf(5)];
    states[0]!.scores = { last: null, best: null };
    await synchronise(states, 1);
    expect(states[0]!.scores).toEqual(stateOf(5).scores);
  });

  it('refuses the state of another model, and changes nothing', async () => {
    const states = [stateOf(5), stateOf(3, 9)];
    const before = states[1]!.snapshot();
    const results = await synchronise(states, 0);
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'STATE_MISMATCH' } });
    expect(results[0]?.status).toBe('rejected');
    expect(states[1]!.snapshot()).toEqual(before);
  });

  it('refuses state that was damaged on its way, and changes nothing', async () => {
    const states = [stateOf(5), stateOf(3)];
    const before = states[1]!.snapshot();
    const results = await synchronise(states, 0, damageTensors);
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'STATE_MISMATCH' } });
    expect(states[1]!.snapshot()).toEqual(before);
  });
});

/** Flips a bit of the fourth broadcast, the tensors, as rank 1 receives it. */
function damageTensors(collective: Collective): Collective {
  return observed(collective, (bytes, count) => {
    if (count === 4 && collective.rank === 1) bytes[7]! ^= 1;
  });
}

/** Shows what each broadcast has brought, and how many there were, before its caller sees it. */
function observed(
  collective: Collective,
  look: (bytes: Uint8Array, count: number) => void,
): Collective {
  let count = 0;
  return {
    rank: collective.rank,
    worldSize: collective.worldSize,
    bytesSent: 0,
    busyMs: 0,
    allReduce: (vector, deadlineMs) => collective.allReduce(vector, deadlineMs),
    broadcast: async (bytes, root, deadlineMs) => {
      await collective.broadcast(bytes, root, deadlineMs);
      look(bytes, ++count);
    },
  };
}
