import { buildModel } from '@skipring/nn';
import { modelSpecSchema } from '@skipring/protocol';
import type { Engine } from '@skipring/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../tensorflow.js';
import {
  exponentsOf,
  INPUT_SHAPE,
  NUM_CLASSES,
  randomBatch,
  smallEngine,
  train,
} from '../testing/small-engine.js';

beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));

const specs = [
  { family: 'resnet-cifar', depth: 8 },
  { family: 'resnet-cifar', depth: 8, preActivation: true },
  { family: 'densenet-cifar', depth: 10, growthRate: 4, bottleneck: true },
  { family: 'resnet', depth: 18, zeroInitGamma: true },
].map((spec) => modelSpecSchema.parse(spec));

function engineOf(spec: (typeof specs)[number], precision: 'float32' | 'bfloat16'): Engine {
  const model = buildModel(spec, INPUT_SHAPE, NUM_CLASSES, 17);
  return smallEngine({ reduction: 'float32', precision }, model);
}

/** The gradient over all parameters, float32; its slots are the first. */
function gradientOf(engine: Engine): Float32Array {
  const vector = engine.forwardBackward(randomBatch(3), exponentsOf(engine, 0), 1, 0);
  const last = engine.layout.slots.findLast(({ kind }) => kind === 'gradient')!;
  return vector.subarray(0, last.offset + last.length) as Float32Array;
}

const dot = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, index) => sum + value * b[index]!, 0);

describe.each(specs)('bfloat16: $family, $depth layers', (spec) => {
  it('has nearly the gradient of float32, and another one', () => {
    const [float, small] = [engineOf(spec, 'float32'), engineOf(spec, 'bfloat16')];
    const [expected, actual] = [gradientOf(float), gradientOf(small)];
    const similarity =
      dot(expected, actual) / Math.sqrt(dot(expected, expected) * dot(actual, actual));
    expect(similarity).toBeGreaterThan(0.98);
    // bfloat16 has 8 bits of precision: equal gradients would be those of float32.
    expect(similarity).toBeLessThan(1 - 1e-7);
    float.dispose();
    small.dispose();
  });
});

describe('training in bfloat16', () => {
  it('gives the same bits again, with parameters in float32', () => {
    const engines = [1, 2].map(() => smallEngine({ precision: 'bfloat16' }));
    const [first, second] = engines.map((engine) => {
      train(engine, 5);
      return engine.readState();
    });
    expect(second).toEqual(first);
    // The lower half of a float32 is zero in every bfloat16.
    const kernel = first!.get('stage1/block0/conv1/kernel')!.values;
    const words = new Uint32Array(kernel.buffer, kernel.byteOffset, kernel.length);
    expect(words.some((word) => (word & 0xffff) !== 0)).toBe(true);
    for (const engine of engines) engine.dispose();
  });
});
