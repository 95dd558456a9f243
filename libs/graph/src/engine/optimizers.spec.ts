import { PhiloxStream } from '@skipring/protocol';
import { OPTIMIZER_PREFIX, type Engine, type TensorMap } from '@skipring/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, smallEngine, smallModel, train } from '../testing/small-engine.js';
import type { OptimizerSpec } from './optimizers.js';

const EXPONENT = 20;
const LEARNING_RATES = [0.1, 0.05, 0.01];
const WEIGHT_DECAY = 0.01;

beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));

/** A sum as the ring would give it, the same for the same seed. */
function reducedVector(engine: Engine, seed: number): Int32Array {
  const stream = new PhiloxStream(seed);
  return Int32Array.from({ length: engine.layout.length }, () =>
    Math.round(stream.nextNormal() * 2 ** EXPONENT),
  );
}

/** One parameter before an update. */
interface Given {
  readonly weights: number[];
  readonly gradient: number[];
  readonly slot: (name: string) => number[];
  readonly decays: boolean;
  readonly learningRate: number;
  /** Number of the update, from 1. */
  readonly step: number;
  /** Norm of the gradient over all parameters. */
  readonly globalNorm: number;
}
/** New values of the parameter, then of its slots by name. */
type Definition = (given: Given) => Record<'weights' | (string & {}), number[]>;

const norm = (values: readonly number[]) => Math.hypot(...values);

function momentumStep(given: Given, gradient: number[], nesterov: boolean) {
  const before = given.slot('velocity');
  const velocity = gradient.map((value, index) => 0.9 * before[index]! + value);
  const weights = given.weights.map((weight, index) => {
    const direction = nesterov ? gradient[index]! + 0.9 * velocity[index]! : velocity[index]!;
    return weight - given.learningRate * direction;
  });
  return { weights, velocity };
}

function decayed({ gradient, weights, decays }: Given): number[] {
  return gradient.map((value, index) => value + (decays ? WEIGHT_DECAY * weights[index]! : 0));
}

const lars: Definition = (given) => {
  const { weights, gradient, decays } = given;
  const sum = norm(gradient) + WEIGHT_DECAY * norm(weights) + 1e-9;
  const rate = decays && norm(weights) > 0 ? (0.02 * norm(weights)) / sum : 1;
  return momentumStep(
    given,
    decayed(given).map((value) => rate * value),
    false,
  );
};

const rmsprop: Definition = (given) => {
  const gradient = decayed(given);
  const [squares, velocities] = [given.slot('meanSquare'), given.slot('velocity')];
  const meanSquare = gradient.map((g, index) => 0.95 * squares[index]! + 0.05 * g * g);
  const velocity = gradient.map(
    (g, index) =>
      0.5 * velocities[index]! + (given.learningRate * g) / Math.sqrt(meanSquare[index]! + 1e-3),
  );
  const weights = given.weights.map((weight, index) => weight - velocity[index]!);
  return { weights, meanSquare, velocity };
};

/** As PyTorch's documentation has it. */
const adamAs =
  (decoupled: boolean): Definition =>
  (given) => {
    const { learningRate, step, decays } = given;
    const gradient = decoupled ? given.gradient : decayed(given);
    const [m, v] = [given.slot('firstMoment'), given.slot('secondMoment')];
    const firstMoment = gradient.map((g, index) => 0.9 * m[index]! + 0.1 * g);
    const secondMoment = gradient.map((g, index) => 0.999 * v[index]! + 0.001 * g * g);
    const kept = decoupled && decays ? 1 - learningRate * WEIGHT_DECAY : 1;
    const weights = given.weights.map((weight, index) => {
      const first = firstMoment[index]! / (1 - 0.9 ** step);
      const second = secondMoment[index]! / (1 - 0.999 ** step);
      return kept * weight - (learningRate * first) / (Math.sqrt(second) + 0.01);
    });
    return { weights, firstMoment, secondMoment };
  };

const clipped =
  (limit: number): Definition =>
  (given) => {
    const factor = Math.min(1, limit / given.globalNorm);
    const gradient = given.gradient.map((value) => value * factor);
    return momentumStep(given, decayed({ ...given, gradient }), true);
  };

// A large epsilon, so that its place in the formula matters.
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 0.01 };
const momentum = { momentum: 0.9, weightDecay: WEIGHT_DECAY };
const cases: [string, OptimizerSpec, Definition][] = [
  [
    'lars',
    {
      ...momentum,
      nesterov: false,
      optimizer: { kind: 'lars', trustCoefficient: 0.02, epsilon: 1e-9 },
    },
    lars,
  ],
  [
    'rmsprop',
    {
      ...momentum,
      nesterov: true,
      optimizer: { kind: 'rmsprop', decay: 0.95, momentum: 0.5, epsilon: 1e-3 },
    },
    rmsprop,
  ],
  ['adam', { ...momentum, nesterov: true, optimizer: { kind: 'adam', ...adam } }, adamAs(false)],
  ['adamw', { ...momentum, nesterov: true, optimizer: { kind: 'adamw', ...adam } }, adamAs(true)],
  ['a clipped gradient', { ...momentum, nesterov: true, gradientClipNorm: 2 }, clipped(2)],
  [
    'a gradient below its limit',
    { ...momentum, nesterov: true, gradientClipNorm: 1e6 },
    clipped(1e6),
  ],
];

describe.each(cases)('the update by %s', (_, spec, define) => {
  it('is its definition, over several steps', () => {
    const engine = smallEngine(spec);
    const exponents = exponentsOf(engine, EXPONENT);
    const kernels = smallModel().parameters.filter(({ decay }) => decay);
    const decays = new Set(kernels.map(({ name }) => name));
    LEARNING_RATES.forEach((learningRate, index) => {
      const sum = reducedVector(engine, index);
      const before = engine.readState();
      const gradients = engine.layout.slots
        .filter(({ kind }) => kind === 'gradient')
        .map(({ name, offset, length }) => ({
          name,
          gradient: Array.from(sum.subarray(offset, offset + length), (q) => q / 2 ** EXPONENT),
        }));
      const globalNorm = norm(gradients.map(({ gradient }) => norm(gradient)));
      engine.apply(sum, { learningRate, step: index + 1, totalWeight: 1, exponents });
      const after = engine.readState();
      for (const { name, gradient } of gradients) {
        const { weights, ...slots } = define({
          weights: valuesOf(before, name),
          gradient,
          slot: (slot) => valuesOf(before, `${OPTIMIZER_PREFIX}${slot}/${name}`),
          decays: decays.has(name),
          learningRate,
          step: index + 1,
          globalNorm,
        });
        expect(errorOf(after, name, weights), name).toBeLessThan(1e-5);
        for (const [slot, values] of Object.entries(slots)) {
          const error = errorOf(after, `${OPTIMIZER_PREFIX}${slot}/${name}`, values);
          // 1 - 0.999 in float32 is off by 1.3e-5.
          expect(error, `${slot} of ${name}`).toBeLessThan(2e-5);
        }
      }
    });
    engine.dispose();
  });
});

function valuesOf(state: TensorMap, name: string): number[] {
  return [...state.get(name)!.values];
}

/** Largest difference as a share of the largest value expected. */
function errorOf(state: TensorMap, name: string, expected: number[]): number {
  const actual = valuesOf(state, name);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, index) => Math.abs(value - actual[index]!))) / largest;
}

describe.each(cases)('training by %s', (_, spec) => {
  it('gives the same bits again, and goes on with them from a stored state', () => {
    const [first, second] = [smallEngine(spec), smallEngine(spec)];
    const start = first.readState();
    train(first, 2);
    second.writeState(first.readState());
    // The random batches and the number of the step begin anew: on both sides.
    train(first, 2);
    train(second, 2);
    expect(second.readState()).toEqual(first.readState());
    for (const [name, { values }] of first.readState()) {
      expect(values.every(Number.isFinite), name).toBe(true);
      if (!name.startsWith(OPTIMIZER_PREFIX)) expect(values).not.toEqual(start.get(name)!.values);
    }
    first.dispose();
    second.dispose();
  });
});

it('a kernel of zeros moves under lars', () => {
  const engine = smallEngine({
    optimizer: { kind: 'lars', trustCoefficient: 0.001, epsilon: 0 },
    weightDecay: WEIGHT_DECAY,
  });
  const state = new Map(engine.readState());
  const { shape, values } = state.get('classifier/kernel')!;
  state.set('classifier/kernel', { shape, values: new Float32Array(values.length) });
  engine.writeState(state);
  const exponents = exponentsOf(engine, EXPONENT);
  engine.apply(reducedVector(engine, 1), { learningRate: 1, step: 1, totalWeight: 1, exponents });
  const moved = valuesOf(engine.readState(), 'classifier/kernel');
  expect(moved.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  engine.dispose();
});
