import { registerFusedKernels } from '@skipring/nn';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph-builder.js';
import { DataType, type Graph } from '../graph-def.js';
import { GraphSession, type Feed } from '../session/graph-session.js';
import { loadTensorFlow, nodeBackend } from '../tensorflow.js';
import { kernelTable, type KernelUse } from '../testing/kernel-table.js';
import { Recorder } from './recorder.js';

const TYPES = { float32: DataType.float32, int32: DataType.int32, bool: DataType.bool } as const;
const typeOf = ({ dtype }: tf.Tensor): number => TYPES[dtype as keyof typeof TYPES];

/** Refused, because what they yield depends on more than their inputs' shapes and a seed. */
const refused: Readonly<Record<string, () => tf.Tensor | tf.Tensor[]>> = {
  Multinomial: () => tf.multinomial(tf.tensor1d([0.2, 0.8]), 3, 7),
  NonMaxSuppressionV3: () =>
    tf.image.nonMaxSuppression(tf.tensor2d([[0, 0, 1, 1]]), tf.tensor1d([0.5]), 1),
  NonMaxSuppressionV4: () =>
    tf.image.nonMaxSuppressionPadded(tf.tensor2d([[0, 0, 1, 1]]), tf.tensor1d([0.5]), 1)
      .selectedIndices!,
  NonMaxSuppressionV5: () =>
    tf.image.nonMaxSuppressionWithScore(tf.tensor2d([[0, 0, 1, 1]]), tf.tensor1d([0.5]), 1)
      .selectedIndices!,
  Unique: () => tf.unique(tf.tensor1d([1, 1, 2])).values,
};

interface Recorded {
  readonly graph: Graph;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly eager: tf.Tensor[];
}

function record({ inputs, run }: KernelUse): Recorded {
  const g = new GraphBuilder();
  const recorder = new Recorder(nodeBackend(), g, 'test');
  const placeholders = inputs.map((input, index) => {
    const output = g.placeholder(`input${index}`, typeOf(input), input.shape);
    recorder.bind(input, output);
    return output;
  });
  return recorder.record([], () => {
    const result = run(...inputs);
    const eager = Array.isArray(result) ? result : [result];
    const outputs = eager.map((tensor) => recorder.outputOf(tensor));
    return { graph: g.nodes, inputs: placeholders, outputs, eager };
  });
}

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
  registerFusedKernels();
});

describe('the kernels of the backend', () => {
  it('are each recorded or refused', () => {
    const known = new Set([...kernelTable().map(([name]) => name), ...Object.keys(refused)]);
    // Of this library, tested with the layers that use them; and what runs no operation.
    const others = [
      'FusedBatchNormTraining',
      'FusedBatchNormTrainingGrad',
      'LogSoftmax',
      'ReluGrad',
      'StatelessRandomUniform',
      'StridedSliceGrad',
    ];
    const names = tf.getKernelsForBackend('tensorflow').map(({ kernelName }) => kernelName);
    expect(names.length).toBeGreaterThan(140);
    expect(names.filter((name) => !known.has(name) && !others.includes(name))).toEqual([]);
  });

  it('yield in a recorded graph what they yield by themselves', () => {
    const failures: string[] = [];
    for (const [name, use] of kernelTable()) {
      try {
        const { graph, inputs, outputs, eager } = record(use);
        const session = GraphSession.load(nodeBackend().binding, graph);
        const feeds = use.inputs.map((input, index): Feed => ({
          output: inputs[index]!,
          dtype: typeOf(input),
          shape: input.shape,
          values: input.dataSync(),
        }));
        const found = session.run(feeds, outputs);
        found.forEach((values, index) => {
          const expected = Array.from(eager[index]!.dataSync());
          const worst = expected.reduce(
            (max, value, at) => Math.max(max, Math.abs(Number(values[at]) - value)),
            0,
          );
          const fits = values.length === expected.length && worst <= 1e-5;
          if (!fits) failures.push(`${name}: output ${index} differs by ${worst}`);
        });
        session.dispose();
      } catch (error) {
        failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    expect(failures).toEqual([]);
  });

  it.each(Object.keys(refused))('%s is refused, by name', (name) => {
    expect(() => record({ inputs: [], run: refused[name]! })).toThrowError(
      expect.objectContaining({
        code: 'OPERATION_UNSUPPORTED',
        message: expect.stringContaining(name) as string,
      }),
    );
  });
});

describe('attributes', () => {
  it.each([
    ['a list of booleans', 'TF_ATTR_BOOL', [true, false], { kind: 'bools', value: [true, false] }],
    ['a list of floats', 'TF_ATTR_FLOAT', [0.5, 2], { kind: 'floats', value: [0.5, 2] }],
    ['a shape', 'TF_ATTR_SHAPE', [2, 3], { kind: 'shape', value: [2, 3] }],
    ['a string', 'TF_ATTR_STRING', 'SAME', { kind: 'string', value: 'SAME' }],
  ] as const)('may be %s', async (_, type, value, expected) => {
    const { toAttribute } = await import('./attributes.js');
    const { binding } = nodeBackend();
    const entry = { name: 'a', type: binding[type as 'TF_ATTR_BOOL'], value };
    expect(toAttribute(binding, 'Op', entry)).toEqual(expected);
  });
});
