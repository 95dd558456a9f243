import type { Engine, HeldSum } from '@skipring/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, randomBatch, smallEngine } from '../testing/small-engine.js';

const LANES = 2;
const NUM_STEPS = 3;
const EXPONENT = 18;

beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));

function heldBy(engine: Engine): HeldSum {
  if (engine.held === null) throw new Error('expected an engine that holds sums');
  return engine.held;
}

/** Of a step: a whole lane and a short one. */
function lanesOf(step: number) {
  return [randomBatch(2 * step), randomBatch(2 * step + 1, 4)];
}

describe.each(['exact', 'float32'] as const)('a %s sum that stays in the session', (reduction) => {
  it('has the bits of one that is handed out, and moves the state alike', () => {
    const [outside, inside] = [smallEngine({ reduction }), smallEngine({ reduction })];
    const held = heldBy(inside);
    const exponents = exponentsOf(outside, EXPONENT);
    const { layout } = outside;
    for (let step = 0; step < NUM_STEPS; step++) {
      const sum =
        reduction === 'exact' ? new Int32Array(layout.length) : new Float32Array(layout.length);
      lanesOf(step).forEach((batch, lane) => {
        const vector = outside.forwardBackward(batch, exponents, LANES, step);
        vector.forEach((value, i) => (sum[i] = sum[i]! + value));
        const { tail, maxima } = held.add(batch, exponents, LANES, step, lane === 0);
        expect(tail).toEqual(sum.slice(layout.metricsOffset));
        const largest = layout.slots.map(({ offset, length }) =>
          Math.max(...Array.from(sum.subarray(offset, offset + length), Math.abs)),
        );
        expect([...maxima]).toEqual(reduction === 'exact' ? largest : []);
      });
      const scalars = { learningRate: 0.05, step: step + 1, totalWeight: 1.5, exponents };
      outside.apply(sum, scalars);
      held.apply(scalars);
      expect(inside.readState()).toEqual(outside.readState());
    }
    outside.dispose();
    inside.dispose();
  });
});

it('a sum that overflows tells so, and the next one begins anew', () => {
  const engine = smallEngine();
  const held = heldBy(engine);
  const { layout } = engine;
  const flagsOf = (exponent: number) => {
    const { tail } = held.add(randomBatch(1), exponentsOf(engine, exponent), LANES, 0, true);
    const from = layout.overflowOffset - layout.metricsOffset;
    return tail.subarray(from, from + layout.slots.length);
  };
  expect(Math.max(...flagsOf(40))).toBe(1);
  expect(Math.max(...flagsOf(EXPONENT))).toBe(0);
  engine.dispose();
});

it('sums of several buckets are handed out', () => {
  const engine = smallEngine({}, undefined, { bucketBytes: 100_000 });
  expect(engine.layout.buckets.length).toBeGreaterThan(1);
  expect(engine.held).toBeNull();
  engine.dispose();
});
