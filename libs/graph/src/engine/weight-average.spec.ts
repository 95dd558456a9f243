import type { Engine } from '@skipring/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, randomBatch, smallEngine } from '../testing/small-engine.js';
import { decayAt } from './weight-average.js';

const DECAY = 0.5;
const NUM_STEPS = 6;
const PREFIX = 'optimizer/trained/';

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
});

function step(engine: Engine, index: number): void {
  const exponents = exponentsOf(engine, 20);
  const vector = engine.forwardBackward(randomBatch(index), exponents, 1, index);
  engine.apply(vector, { learningRate: 0.05, step: index + 1, totalWeight: 1, exponents });
}

describe.each([
  ['sgd', {}],
  ['lars', { optimizer: { kind: 'lars', trustCoefficient: 0.02, epsilon: 1e-9 } }],
  ['adamw', { optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } }],
  ['rmsprop', { optimizer: { kind: 'rmsprop', decay: 0.9, momentum: 0.5, epsilon: 1e-7 } }],
] as const)('the average of weights moved by %s', (_, optimizer) => {
  it('is that of the weights that training has without it', () => {
    const spec = { ...optimizer, weightDecay: 0.01, nesterov: false };
    const plain = smallEngine(spec);
    const averaged = smallEngine({ ...spec, weightAverage: { decay: DECAY } });
    const parameters = plain.layout.slots.filter(({ kind }) => kind === 'gradient');
    const expected = new Map(
      parameters.map(({ name }) => [name, Float64Array.from(plain.readState().get(name)!.values)]),
    );
    for (let index = 0; index < NUM_STEPS; index++) {
      step(plain, index);
      step(averaged, index);
      const decay = decayAt(DECAY, index + 1);
      const weights = plain.readState();
      for (const [name, average] of expected) {
        const { values } = weights.get(name)!;
        average.forEach((value, at) => (average[at] = decay * value + (1 - decay) * values[at]!));
      }
    }
    const [trained, found] = [plain.readState(), averaged.readState()];
    for (const [name, average] of expected) {
      // The average has no part in training: the same bits as without it.
      expect(found.get(PREFIX + name)!.values).toEqual(trained.get(name)!.values);
      const { values } = found.get(name)!;
      average.forEach((value, at) => {
        expect(Math.abs(values[at]! - value)).toBeLessThan(1e-6 + 1e-5 * Math.abs(value));
      });
    }
    plain.dispose();
    averaged.dispose();
  });
});

describe('evaluation', () => {
  it('is by the average', () => {
    const averaged = smallEngine({ weightAverage: { decay: DECAY } });
    for (let index = 0; index < NUM_STEPS; index++) step(averaged, index);
    const state = averaged.readState();
    const names = [...state.keys()].filter((name) => state.has(PREFIX + name));
    const with_ = (value: (name: string) => string) => {
      const plain = smallEngine();
      const tensors = new Map([...state].filter(([name]) => !name.startsWith(PREFIX)));
      for (const name of names) tensors.set(name, state.get(value(name))!);
      plain.writeState(tensors);
      return plain.evaluate(randomBatch(99)).lossSum;
    };
    const { lossSum } = averaged.evaluate(randomBatch(99));
    expect(lossSum).toBe(with_((name) => name));
    expect(lossSum).not.toBe(with_((name) => PREFIX + name));
  });
});

describe('what an average keeps of itself', () => {
  it('rises with the number of updates up to the decay', () => {
    expect([1, 8, 90].map((at) => decayAt(0.9, at))).toEqual([2 / 11, 0.5, 0.9]);
  });
});
