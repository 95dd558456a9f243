import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelSpec } from '@skipring/protocol';
import { layerZoo, topologyOf } from '@skipring/nn/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataType } from '../graph-def.js';
import { loadTensorFlow, nodeBackend } from '../tensorflow.js';
import { sampleImages, trainedSample, type TrainedSample } from '../testing/trained-sample.js';
import { layersModel } from './layers-model.js';
import { savedModel } from './saved-model.js';

const NUM_IMAGES = 3;
const SHAPE: [number, number, number, number] = [NUM_IMAGES, 32, 32, 3];

/** The smallest of each family. */
const models: readonly ModelSpec[] = [
  { family: 'resnet-cifar', depth: 8, shortcuts: true },
  { family: 'resnet-cifar', depth: 8, shortcuts: true, preActivation: true },
  { family: 'resnet', depth: 18, stem: 'imagenet', shortcuts: true },
  { family: 'wide-resnet', depth: 10, width: 2, dropout: 0.3 },
  { family: 'densenet-cifar', depth: 10, growthRate: 4, bottleneck: true },
];

/** A model of all layers that a topology may have, for images of the sample's size. */
function everyLayer(): ModelSpec {
  const topology = topologyOf(layerZoo());
  // The data set decides.
  for (const { config } of topology.config.layers) config.batch_input_shape = null;
  return { family: 'layers', topology };
}

/** Each activation by a layer of its own, and what layers do on vectors and on matrices of them. */
function everyActivation(): ModelSpec {
  const images = tf.input({ shape: [32, 32, 3], name: 'images' });
  const kinds = ['linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'softplus'];
  const others = ['softsign', 'swish', 'mish', 'tanh'];
  const x = tf.layers
    .conv2d({ name: 'stem', filters: 4, kernelSize: 3, strides: 4 })
    .apply(images) as tf.SymbolicTensor;
  const branches = [...kinds, ...others].map((activation) => {
    const config = { name: `of-${activation}`, activation } as Parameters<
      typeof tf.layers.activation
    >[0];
    return tf.layers.activation(config).apply(x) as tf.SymbolicTensor;
  });
  const joined = tf.layers.concatenate({ name: 'joined', axis: 1 }).apply(branches);
  const chain = [
    tf.layers.averagePooling2d({ name: 'small', poolSize: [4, 1] }),
    tf.layers.dense({ name: 'each', units: 4, activation: 'softsign' }),
    tf.layers.layerNormalization({ name: 'normal', center: false }),
    tf.layers.flatten({ name: 'flat' }),
    tf.layers.dense({ name: 'top', units: 5 }),
  ];
  const outputs = chain.reduce<unknown>(
    (value, layer) => layer.apply(value as tf.SymbolicTensor),
    joined,
  ) as tf.SymbolicTensor;
  return { family: 'layers', topology: topologyOf(tf.model({ inputs: images, outputs })) };
}

const smallest = (): ModelSpec => models[0]!;
const named = [
  [JSON.stringify(models[0]), smallest] as const,
  ...models.slice(1).map((model) => [JSON.stringify(model), () => model] as const),
  ['model of every layer', everyLayer] as const,
  ['model of every activation', everyActivation] as const,
];

const fixture = new URL('../../fixtures/exports/python-tensorflow.json', import.meta.url);
const python = process.env.SKIPRING_TEST_PYTHON;
const { pixels, normalised } = sampleImages(NUM_IMAGES);
let directory: string;

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
  directory = mkdtempSync(join(tmpdir(), 'skipring-export-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function softmax(logits: Float32Array): number[] {
  return [...tf.tidy(() => tf.tensor2d(logits, [NUM_IMAGES, 5]).softmax().dataSync<'float32'>())];
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs((found[i] ?? NaN) - (expected[i] ?? 0))).toBeLessThan(1e-5);
  }
}

/** What TensorFlow yields for `serving_default`, by the names in its signature. */
function serve(model: TrainedSample): { logits: Float32Array; probabilities: Float32Array } {
  const { binding } = nodeBackend();
  writeFileSync(join(directory, 'saved_model.pb'), savedModel(model));
  const id = binding.loadSavedModel(directory, 'serve');
  const input = binding.createTensor(SHAPE, DataType.float32, pixels);
  const results = binding.runSavedModel(id, [input], 'images:0', 'logits:0,probabilities:0');
  const [logits, probabilities] = results.map((result) => binding.tensorDataSync(result.id));
  binding.deleteSavedModel(id);
  return { logits: logits as Float32Array, probabilities: probabilities as Float32Array };
}

/** A model is made once TensorFlow is loaded, and once. */
const samples = new Map<() => ModelSpec, TrainedSample>();
function sampleOf(spec: () => ModelSpec): TrainedSample {
  const sample = samples.get(spec) ?? trainedSample(spec());
  samples.set(spec, sample);
  return sample;
}

describe.each(named)('an exported %s', (_, spec) => {
  it('predicts the same as a SavedModel', () => {
    const model = sampleOf(spec);
    const expected = model.predict(normalised);
    const { logits, probabilities } = serve(model);
    const scale = Math.max(1, ...expected.map(Math.abs));
    expectClose(
      logits.map((x) => x / scale),
      expected.map((x) => x / scale),
    );
    expectClose(probabilities, softmax(expected));
  });

  it('predicts the same as a layers model, of stock layers alone', async () => {
    const model = sampleOf(spec);
    const files = layersModel(model);
    const json = JSON.parse(Buffer.from(files['model.json']).toString()) as {
      modelTopology: object;
      weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
      userDefinedMetadata: object;
    };
    expect(JSON.stringify(json.modelTopology)).not.toMatch(/FusedBatchNorm|SubsampleShortcut/);
    expect(json.userDefinedMetadata).toEqual({ skipring: model.card });
    const handler = tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest[0]!.weights,
      weightData: Uint8Array.from(files['weights.bin']).buffer,
    });
    const loaded = await tf.loadLayersModel(handler);
    const found = tf.tidy(() =>
      (loaded.predict(tf.tensor4d(pixels, SHAPE)) as tf.Tensor).dataSync<'float32'>(),
    );
    expectClose(found, softmax(model.predict(normalised)));
    loaded.dispose();
  });
});

describe('Python TensorFlow', () => {
  it('predicts the same of the saved graph (what it said is in a fixture)', () => {
    const { probabilities } = serve(sampleOf(smallest));
    const expected = JSON.parse(readFileSync(fixture, 'utf8')) as { probabilities: number[] };
    expectClose(probabilities, expected.probabilities);
  });

  // SKIPRING_TEST_PYTHON: a Python that has TensorFlow.
  it.skipIf(python === undefined)('predicts the same of the saved graph now', () => {
    const model = sampleOf(smallest);
    writeFileSync(join(directory, 'saved_model.pb'), savedModel(model));
    writeFileSync(join(directory, 'images.bin'), pixels);
    const script = new URL('../../fixtures/exports/serve.py', import.meta.url).pathname;
    const output = execFileSync(python ?? '', [script, directory], { encoding: 'utf8' });
    const { probabilities } = JSON.parse(output) as { probabilities: number[] };
    expectClose(probabilities, softmax(model.predict(normalised)));
  });
});
