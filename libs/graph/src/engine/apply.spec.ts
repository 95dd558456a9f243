import { PhiloxStream } from '@skipring/protocol';
import { OPTIMIZER_PREFIX, type Engine, type TensorMap } from '@skipring/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, smallEngine, smallModel } from '../testing/small-engine.js';

const LEARNING_RATES = [0.1, 0.1, 0.05, 0.01];
const TOTAL_WEIGHT = 4;
const EXPONENT = 20;
const MOMENTUM = Math.fround(0.9);
const WEIGHT_DECAY = Math.fround(1e-2);

beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));

/** A sum as the ring would give it, the same for the same seed. */
function reducedVector(engine: Engine, seed: number): Int32Array {
  const stream = new PhiloxStream(seed);
  return Int32Array.from({ length: engine.layout.length }, () =>
    Math.round(stream.nextNormal() * 2 ** EXPONENT),
  );
}

/** SGD as PyTorch defines it, in double precision: new parameter and velocity of one element. */
function sgd(
  weight: number,
  velocity: number,
  gradient: number,
  learningRate: number,
  options: { nesterov: boolean; decay: number },
): [number, number] {
  const total = gradient + options.decay * weight;
  const moved = MOMENTUM * velocity + total;
  const direction = options.nesterov ? total + MOMENTUM * moved : moved;
  return [weight - learningRate * direction, moved];
}

/** What the update makes of a state, element by element. */
function reference(
  engine: Engine,
  state: TensorMap,
  sum: Int32Array,
  learningRate: number,
  options: { nesterov: boolean; weightDecay: number; decays: ReadonlySet<string> },
): Map<string, number[]> {
  const result = new Map<string, number[]>();
  for (const { name, kind, offset, length } of engine.layout.slots) {
    const mean = Array.from(
      sum.subarray(offset, offset + length),
      (value) => value / 2 ** EXPONENT / TOTAL_WEIGHT,
    );
    const before = state.get(name)!.values;
    if (kind !== 'gradient') {
      result.set(
        name,
        mean.map((value, index) => 0.9 * before[index]! + 0.1 * value),
      );
      continue;
    }
    const slot = `${OPTIMIZER_PREFIX}velocity/${name}`;
    const velocities = state.get(slot)!.values;
    const decay = options.decays.has(name) ? options.weightDecay : 0;
    const updated = mean.map((value, index) =>
      sgd(before[index]!, velocities[index]!, value, learningRate, {
        nesterov: options.nesterov,
        decay,
      }),
    );
    result.set(
      name,
      updated.map(([weight]) => weight),
    );
    result.set(
      slot,
      updated.map(([, velocity]) => velocity),
    );
  }
  return result;
}

describe('the update', () => {
  it.each([
    { nesterov: false, weightDecay: 0 },
    { nesterov: true, weightDecay: 0 },
    { nesterov: false, weightDecay: WEIGHT_DECAY },
    { nesterov: true, weightDecay: WEIGHT_DECAY },
  ])('is SGD with momentum over several steps: $nesterov, $weightDecay', (options) => {
    const engine = smallEngine({ momentum: MOMENTUM, ...options });
    const kernels = smallModel().parameters.filter(({ name }) => name.endsWith('/kernel'));
    const decays = new Set(kernels.map(({ name }) => name));
    const exponents = exponentsOf(engine, EXPONENT);
    LEARNING_RATES.forEach((learningRate, step) => {
      const sum = reducedVector(engine, step);
      const expected = reference(engine, engine.readState(), sum, Math.fround(learningRate), {
        ...options,
        decays,
      });
      engine.apply(sum, {
        learningRate,
        step: step + 1,
        totalWeight: TOTAL_WEIGHT,
        exponents,
      });
      const state = engine.readState();
      expect([...expected.keys()].sort()).toEqual([...state.keys()].sort());
      for (const [name, values] of expected) {
        // Four roundings to float32 of magnitudes up to 10.
        const worst = values.reduce(
          (max, value, index) => Math.max(max, Math.abs(value - state.get(name)!.values[index]!)),
          0,
        );
        expect(worst, `${name} at step ${step}`).toBeLessThan(10 * 4 * 2 ** -24);
      }
    });
    engine.dispose();
  });

  it('is the same for a float32 sum as for the fixed-point sum of the same value', () => {
    const exact = smallEngine();
    const float = smallEngine({ reduction: 'float32' });
    const sum = reducedVector(exact, 1).map((value) => value & ~0xff);
    const exponents = exponentsOf(exact, EXPONENT);
    const inputs = { learningRate: 0.1, step: 1, totalWeight: TOTAL_WEIGHT, exponents };
    exact.apply(sum, inputs);
    float.apply(
      Float32Array.from(sum, (value) => value / 2 ** EXPONENT),
      inputs,
    );
    expect(float.readState()).toEqual(exact.readState());
    exact.dispose();
    float.dispose();
  });
});
