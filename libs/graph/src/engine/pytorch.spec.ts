import { readdirSync, readFileSync } from 'node:fs';
import { buildModel, registerFusedKernels, type TrainableModel } from '@skipring/nn';
import { modelSpecSchema } from '@skipring/protocol';
import type { Engine, LaneBatch } from '@skipring/trainer';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import {
  errorOf,
  referenceLabels,
  referenceParameter,
  referenceValues,
  type TensorDigest,
} from '../testing/reference-tensor.js';
import { compileEngine, type EngineOptions } from './compile-engine.js';
import type { OptimizerSpec } from './optimizers.js';

const directory = new URL('../../fixtures/pytorch/', import.meta.url);
const NUM_CLASSES = 5;
/** Largest error of a tensor relative to itself, in float32 against PyTorch in double precision. */
const TOLERANCE = 1e-4;

type Digests = Readonly<Record<string, TensorDigest>>;
interface Fixture {
  readonly seed: number;
  readonly spec: object;
  readonly input: { readonly height: number; readonly width: number; readonly channels: number };
  readonly samples: number;
  readonly moving: Digests;
}
interface GradientFixture extends Fixture {
  readonly logits: TensorDigest;
  readonly loss: number;
  readonly gradients: Digests;
}
interface OptimizerFixture extends Fixture {
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly parameters: Digests;
}

function fixture<F extends Fixture>(name: string): F {
  return JSON.parse(readFileSync(new URL(`${name}.json`, directory), 'utf8')) as F;
}

const gradientCases = readdirSync(directory)
  .filter((file) => file.startsWith('gradients-'))
  .map((file) => file.replace('.json', ''));

/** The model with the weights of the fixtures. */
function referenceModel({ seed, spec, input }: Fixture): TrainableModel {
  const model = buildModel(modelSpecSchema.parse(spec), input, NUM_CLASSES, 1);
  for (const { name, variable } of model.parameters) {
    variable.assign(tf.tensor(referenceParameter(seed, name, variable.shape), variable.shape));
  }
  return model;
}

function referenceBatch({ seed, input, samples }: Fixture, images = 'images'): LaneBatch {
  const name = `${seed}/${images}`;
  const { height, width, channels } = input;
  return {
    images: referenceValues(name, samples * height * width * channels, 1.5),
    labels: referenceLabels(`${name} labels`, samples, NUM_CLASSES),
    samples,
  };
}

function compile(
  { samples, input }: Fixture,
  model: TrainableModel,
  spec: Partial<EngineOptions['spec']>,
): Engine {
  return compileEngine({
    model,
    spec: {
      momentum: 0.9,
      nesterov: false,
      weightDecay: 0,
      labelSmoothing: 0,
      reduction: 'float32',
      ...spec,
    },
    trainBatchSizes: [samples],
    evaluationBatchSizes: [],
    laneSize: samples,
    numClasses: NUM_CLASSES,
    inputShape: input,
  });
}

/** Names and errors of the tensors that are not the expected ones. */
function mismatches(expected: Digests, actual: ReadonlyMap<string, ArrayLike<number>>): string[] {
  return Object.entries(expected).flatMap(([name, digest]) => {
    const error = errorOf(name, actual.get(name) ?? [], digest);
    return error <= TOLERANCE ? [] : [`${name}: ${error}`];
  });
}

const valuesOf = (engine: Engine) =>
  new Map([...engine.readState()].map(([name, { values }]) => [name, values]));

beforeAll(async () => {
  await loadTensorFlow({ threads: 2, device: 'cpu' });
  registerFusedKernels();
});

describe.each(gradientCases)('%s are those of PyTorch', (name) => {
  it('in the recorded graph, with the loss and the moving statistics; logits eagerly', () => {
    const expected = fixture<GradientFixture>(name);
    const model = referenceModel(expected);
    const engine = compile(expected, model, { labelSmoothing: 0.1 });
    const batch = referenceBatch(expected);
    const exponents = new Int32Array(engine.layout.slots.length);
    const vector = engine.forwardBackward(batch, exponents, 1, 0);
    const { slots, metricsOffset } = engine.layout;
    const gradients = new Map(
      slots
        .filter(({ kind }) => kind === 'gradient')
        .map((slot) => [slot.name, vector.subarray(slot.offset, slot.offset + slot.length)]),
    );
    expect([...gradients.keys()].sort()).toEqual(Object.keys(expected.gradients).sort());
    expect(mismatches(expected.gradients, gradients)).toEqual([]);
    expect(vector[metricsOffset]! / expected.samples / expected.loss).toBeCloseTo(1, 5);

    engine.apply(vector, { learningRate: 0, step: 1, totalWeight: 1, exponents });
    expect(Object.keys(expected.moving)).toHaveLength(model.movingStatistics.length);
    expect(mismatches(expected.moving, valuesOf(engine))).toEqual([]);
    engine.dispose();

    const { height, width, channels } = expected.input;
    const images = tf.tensor4d(batch.images, [expected.samples, height, width, channels]);
    const logits = tf.tidy(() => model.forwardTraining(images).logits.dataSync());
    expect(errorOf('logits', logits, expected.logits)).toBeLessThan(TOLERANCE);
    images.dispose();
    model.model.dispose();
  });
});

const adamFields = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const optimizerCases: [string, number, Partial<OptimizerSpec>][] = [
  ['sgd', 0.05, { weightDecay: 0.01 }],
  ['nesterov', 0.05, { weightDecay: 0.01, nesterov: true }],
  ['nesterov-clipped', 0.05, { weightDecay: 0.01, nesterov: true, gradientClipNorm: 0.5 }],
  ['adam', 1e-3, { weightDecay: 0.01, optimizer: { kind: 'adam', ...adamFields } }],
  ['adamw', 1e-3, { weightDecay: 0.1, optimizer: { kind: 'adamw', ...adamFields } }],
];

describe.each(optimizerCases)('ten steps of %s', (name, learningRate, spec) => {
  it('end with the parameters and moving statistics of PyTorch', () => {
    const expected = fixture<OptimizerFixture>(`optimizer-${name}`);
    const model = referenceModel(expected);
    const engine = compile(expected, model, spec);
    const exponents = new Int32Array(engine.layout.slots.length);
    expected.losses.forEach((loss, index) => {
      const batch = referenceBatch(expected, `images${index}`);
      const vector = engine.forwardBackward(batch, exponents, 1, 0);
      const sum = vector[engine.layout.metricsOffset]!;
      expect(sum / expected.samples / loss, `loss of step ${index + 1}`).toBeCloseTo(1, 4);
      engine.apply(vector, { learningRate, step: index + 1, totalWeight: 1, exponents });
    });
    const after = valuesOf(engine);
    expect(Object.keys(expected.parameters)).toHaveLength(model.parameters.length);
    expect(mismatches(expected.parameters, after)).toEqual([]);
    expect(mismatches(expected.moving, after)).toEqual([]);
    engine.dispose();
  });
});

it('the gradient that is clipped was over the limit at every step', () => {
  const { norms } = fixture<OptimizerFixture>('optimizer-nesterov-clipped');
  expect(norms).toHaveLength(10);
  expect(Math.min(...norms)).toBeGreaterThan(0.5);
});
