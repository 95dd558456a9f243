import { fusedBatchNorm, registerFusedKernels } from '@skipring/nn';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph-builder.js';
import { DataType } from '../graph-def.js';
import { GraphSession } from '../session/graph-session.js';
import { loadTensorFlow, nodeBackend } from '../tensorflow.js';
import { Recorder } from './recorder.js';

type Run = (x: tf.Tensor4D, kernel: tf.Tensor4D) => tf.Tensor[];

/** More than stays as it is: 4 x 33 x 31 x 8 values, of odd sizes. */
const SHAPE: [number, number, number, number] = [4, 33, 31, 8];

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
  registerFusedKernels();
});

/** The result of `run` and its gradients of both inputs. */
function withGradients(run: (x: tf.Tensor4D, kernel: tf.Tensor4D) => tf.Tensor): Run {
  return (x, kernel) => {
    const y = run(x, kernel);
    const gradients = tf.grads((...inputs) => run(...(inputs as [tf.Tensor4D, tf.Tensor4D])));
    return [y, ...gradients([x, kernel], tf.onesLike(y))];
  };
}

/** Runs by itself, then recorded: the shapes while it was recorded, and what the graph yields. */
function bothWays(run: Run, kernelShape: [number, number, number, number]) {
  const backend = nodeBackend();
  const x = tf.randomUniform<tf.Rank.R4>(SHAPE, -1, 1, 'float32', 1);
  const kernel = tf.randomUniform<tf.Rank.R4>(kernelShape, -1, 1, 'float32', 2);
  const eager = run(x, kernel);
  const g = new GraphBuilder();
  const recorder = new Recorder(backend, g, 'test');
  const inputs = [x, kernel].map((tensor, index) => {
    const output = g.placeholder(`input${index}`, DataType.float32, tensor.shape);
    recorder.bind(tensor, output);
    return { output, dtype: DataType.float32, shape: tensor.shape, values: tensor.dataSync() };
  });
  const { shapes, outputs } = recorder.record([], () => {
    const recorded = run(x, kernel);
    return {
      shapes: recorded.map(({ shape }) => shape),
      outputs: recorded.map((tensor) => recorder.outputOf(tensor)),
    };
  });
  const session = GraphSession.load(backend.binding, g.nodes);
  const feeds = inputs.map((input) => ({ ...input, values: input.values as Float32Array }));
  const values = session.run(feeds, outputs);
  session.dispose();
  return { eager, shapes, values };
}

function expectSame(run: Run, kernelShape: [number, number, number, number]): void {
  tf.tidy(() => {
    const { eager, shapes, values } = bothWays(run, kernelShape);
    expect(shapes).toEqual(eager.map(({ shape }) => shape));
    eager.forEach((tensor, index) => {
      const expected = [...tensor.dataSync()];
      const got = values[index]!;
      expect(got.length).toBe(expected.length);
      const worst = expected.reduce(
        (most, value, at) =>
          Math.max(most, Math.abs(value - (got[at] ?? NaN)) / (1 + Math.abs(value))),
        0,
      );
      expect(worst).toBeLessThan(1e-4);
    });
  });
}

describe('what is recorded without being computed', () => {
  const cases = (['same', 'valid'] as const).flatMap((padding) =>
    [1, 2, 3].flatMap((stride) => [1, 3, 4].map((size) => ({ padding, stride, size }))),
  );

  it.each(cases)('convolutions: %o', ({ padding, stride, size }) => {
    expectSame(
      withGradients((x, kernel) => tf.conv2d(x, kernel, stride, padding)),
      [size, size, 8, 5],
    );
  });

  it('a dilated convolution', () => {
    expectSame((x, kernel) => [tf.conv2d(x, kernel, 1, 'valid', 'NHWC', 3)], [3, 3, 8, 5]);
  });

  it('batch norm, relu, sums and products, also with one operand repeated', () => {
    const scale = tf.ones<tf.Rank.R1>([8]);
    const offset = tf.zeros<tf.Rank.R1>([8]);
    expectSame(
      withGradients((x, kernel) => {
        const { y } = fusedBatchNorm(x, scale, offset, 1e-5);
        const z = tf.relu(y).mul(x).sub(kernel).add(x);
        return tf.addN([z, x]);
      }),
      [1, 33, 31, 1],
    );
  });

  it('what has no rule: reductions, concatenation, pooling, casts to whole numbers', () => {
    expectSame(
      (x) => [
        x.mean([1, 2]),
        tf.concat([tf.relu(x), x], 3),
        tf.avgPool(tf.relu(x), 3, 2, 'same'),
        tf.relu(x).mean([0, 1, 2]).toInt(),
      ],
      [1, 1, 1, 1],
    );
  });

  it('keeps no large tensor', () => {
    const x = tf.zeros<tf.Rank.R4>([64, 128, 128, 8]);
    const recorder = new Recorder(nodeBackend(), new GraphBuilder(), 'test');
    recorder.bind(x, 'input:0');
    const before = process.memoryUsage.rss();
    const kept = recorder.record([], () => {
      let y: tf.Tensor = x;
      return Array.from({ length: 40 }, () => (y = tf.relu(tf.relu(y).neg())));
    });
    // Forty results of 34 MB each, were they kept.
    expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
    tf.dispose([...kept, x]);
  });
});
