import { registerFusedKernels } from '@skipring/nn';
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { attribute, GraphBuilder } from '../graph-builder.js';
import { DataType, nodeNameOf, type Graph, type Node } from '../graph-def.js';
import { Recorder } from '../record/recorder.js';
import { evaluateNode } from '../session/evaluate-node.js';
import { GraphSession } from '../session/graph-session.js';
import { loadTensorFlow, nodeBackend } from '../tensorflow.js';
import { kernelTable, type KernelUse } from '../testing/kernel-table.js';
import { foldConstants, PURE, type Constant } from './fold-constants.js';

const { int32, float32 } = DataType;

function constant(name: string, values: readonly number[], inputs: string[] = []): Node {
  const bytes = new Uint8Array(new Int32Array(values).buffer);
  const value = { kind: 'tensor', dtype: int32, shape: [values.length], bytes } as const;
  return { name, op: 'Const', inputs, attributes: { dtype: attribute.type(int32), value } };
}

const node = (name: string, op: string, ...inputs: string[]): Node => ({
  name,
  op,
  inputs,
  attributes: { T: attribute.type(int32) },
  types: [int32],
  layer: 'top',
});

/** Values of integers, side by side. */
const together = (_: Node, inputs: readonly Constant[]): Constant => {
  const bytes = Buffer.concat(inputs.map((input) => input.bytes));
  return { dtype: int32, shape: [bytes.length / 4], bytes: new Uint8Array(bytes) };
};

describe('foldConstants', () => {
  it('replaces what is made of constants alone, also of folded ones', () => {
    const graph = [
      constant('a', [1]),
      constant('b', [2]),
      node('ab', 'ConcatV2', 'a:0', 'b:0'),
      node('aba', 'ConcatV2', 'ab:0', 'a:0'),
      node('used', 'AddV2', 'aba:0', 'x:0'),
    ];
    const folded = foldConstants(graph, together);
    expect(folded.map(({ name, op }) => `${name} ${op}`)).toEqual([
      'a Const',
      'b Const',
      'ab Const',
      'aba Const',
      'used AddV2',
    ]);
    expect(folded[3]).toEqual({ ...constant('aba', [1, 2, 1]), types: [int32], layer: 'top' });
    expect(folded[4]).toBe(graph[4]);
  });

  it.each([
    ['an input of the graph', [constant('a', [1]), node('y', 'AddV2', 'a:0', 'x:0')]],
    ['a control input', [constant('a', [1]), node('y', 'Neg', 'a:0', '^x')]],
    ['a constant that marks a time', [constant('a', [1], ['^x']), node('y', 'Neg', 'a:0')]],
    ['random numbers', [constant('a', [1]), node('y', 'StatelessRandomUniform', 'a:0')]],
    ['a variable', [constant('a', [1]), node('y', 'ReadVariableOp', 'a:0')]],
    ['no inputs', [node('y', 'Range')]],
    ['outputs of unknown types', [constant('a', [1]), { ...node('y', 'Neg', 'a:0'), types: [] }]],
  ] as const)('leaves a node with %s', (_, graph) => {
    const evaluate = vi.fn(together);
    expect(foldConstants(graph, evaluate)).toEqual(graph);
    expect(evaluate).not.toHaveBeenCalled();
  });

  it('leaves what would be a large constant, and what is made of it', () => {
    const graph = [
      constant('a', Array<number>(600).fill(1)),
      node('large', 'ConcatV2', 'a:0', 'a:0'),
      node('more', 'Neg', 'large:0'),
    ];
    expect(foldConstants(graph, together)).toEqual(graph);
  });
});

/** A use of a kernel on values that are constants of the graph. */
function record({ inputs, run }: KernelUse): { graph: Graph; outputs: string[] } {
  const g = new GraphBuilder();
  const recorder = new Recorder(nodeBackend(), g, 'test');
  return recorder.record([], () => {
    const result = run(...inputs);
    const tensors: tf.Tensor[] = Array.isArray(result) ? result : [result];
    return { graph: g.nodes, outputs: tensors.map((tensor) => recorder.outputOf(tensor)) };
  });
}

describe('folded by TensorFlow', () => {
  beforeAll(async () => {
    await loadTensorFlow({ threads: 1, device: 'cpu' });
    registerFusedKernels();
  });

  it('every kernel yields the bits that it yields in a graph', () => {
    const { binding } = nodeBackend();
    const folded = new Set<string>();
    for (const [name, use] of kernelTable()) {
      const { graph, outputs } = record(use);
      const result = foldConstants(graph, (entry, inputs) => evaluateNode(binding, entry, inputs));
      result.forEach(({ op }, index) => {
        const before = graph[index]?.op ?? '';
        if (op !== before) folded.add(before);
      });
      const isFolded = outputs.every((output) =>
        result.some((entry) => entry.name === nodeNameOf(output) && entry.op === 'Const'),
      );
      if (!isFolded) continue;
      const [before, after] = [graph, result].map((nodes) => {
        const session = GraphSession.load(binding, nodes);
        const values = session.run([], outputs);
        session.dispose();
        return values;
      });
      expect(after, name).toEqual(before);
    }
    expect([...folded].sort()).toEqual([...PURE].sort());
  });

  it('has the type that TensorFlow yields', () => {
    const { binding } = nodeBackend();
    const cast: Node = {
      ...node('cast', 'Cast', 'a:0'),
      attributes: { SrcT: attribute.type(int32), DstT: attribute.type(float32) },
      types: [float32],
    };
    const [, found] = foldConstants([constant('a', [3])].concat(cast), (entry, inputs) =>
      evaluateNode(binding, entry, inputs),
    );
    expect(found?.attributes).toEqual({
      dtype: attribute.type(float32),
      value: {
        kind: 'tensor',
        dtype: float32,
        shape: [1],
        bytes: new Uint8Array(Float32Array.of(3).buffer),
      },
    });
  });
});
