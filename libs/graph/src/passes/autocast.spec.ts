import { describe, expect, it } from 'vitest';
import { attribute } from '../graph-builder.js';
import { DataType, type Graph, type Node } from '../graph-def.js';
import { autocast } from './autocast.js';

const { float32, int32, bfloat16 } = DataType;
const node = (name: string, op: string, inputs: string[], type: number = float32): Node => ({
  name,
  op,
  inputs,
  attributes: { T: attribute.type(type) },
});
const value = (name: string): Node => ({ name, op: 'Placeholder', inputs: [], attributes: {} });
const everywhere = () => true;

function typeOf(graph: Graph, name: string): number {
  const T = graph.find((entry) => entry.name === name)?.attributes.T;
  return T?.kind === 'type' ? T.value : 0;
}
const inputsOf = (graph: Graph, name: string) => graph.find((entry) => entry.name === name)?.inputs;
const casts = (graph: Graph) => graph.filter(({ op }) => op === 'Cast').map(({ name }) => name);

/** conv -> batch norm -> relu -> conv, with pooling and the statistics as results. */
const network: Graph = [
  value('images'),
  value('kernel'),
  value('gamma'),
  node('conv', 'Conv2D', ['images:0', 'kernel:0']),
  node('norm', 'FusedBatchNormV3', ['conv:0', 'gamma:0', 'gamma:0']),
  node('relu', 'Relu', ['norm:0']),
  node('again', 'Conv2D', ['relu:0', 'kernel:0']),
  node('sum', 'AddV2', ['again:0', 'relu:0']),
  node('shifted', 'AddV2', ['sum:0', 'gamma:0']),
  node('pool', 'Mean', ['sum:0']),
  node('moved', 'Mul', ['norm:1', 'norm:1']),
];

describe('autocast', () => {
  const cast = autocast(network, everywhere);

  it('runs convolutions and what lies between them in bfloat16', () => {
    for (const name of ['conv', 'norm', 'relu', 'again', 'sum']) {
      expect(typeOf(cast, name), name).toBe(bfloat16);
    }
    expect(inputsOf(cast, 'relu')).toEqual(['norm:0']);
    expect(inputsOf(cast, 'again')).toEqual(['relu:0', 'kernel_0/bfloat16:0']);
  });

  it('keeps sums, means, statistics and scales in float32', () => {
    for (const name of ['pool', 'shifted', 'moved']) expect(typeOf(cast, name), name).toBe(float32);
    expect(inputsOf(cast, 'pool')).toEqual(['sum_0/float32:0']);
    expect(inputsOf(cast, 'shifted')).toEqual(['sum_0/float32:0', 'gamma:0']);
    expect(inputsOf(cast, 'norm')).toEqual(['conv:0', 'gamma:0', 'gamma:0']);
    expect(inputsOf(cast, 'moved')).toEqual(['norm:1', 'norm:1']);
  });

  it('converts each value once, before its first use', () => {
    expect(casts(cast)).toEqual(['images_0/bfloat16', 'kernel_0/bfloat16', 'sum_0/float32']);
    const places = new Map(cast.map(({ name }, index) => [name, index]));
    cast.forEach(({ inputs }, index) => {
      for (const input of inputs) {
        expect(places.get(input.split(':')[0]!), input).toBeLessThan(index);
      }
    });
  });

  it('leaves alone what is not asked for, other types, and a graph without convolutions', () => {
    expect(autocast(network, () => false)).toEqual(network);
    const ints = [value('a'), node('pool', 'MaxPool', ['a:0'], int32)];
    expect(autocast(ints, everywhere)).toEqual(ints);
    const plain = [
      value('a'),
      node('relu', 'Relu', ['a:0']),
      node('pad', 'Pad', ['relu:0', 'a:0']),
    ];
    expect(autocast(plain, everywhere)).toEqual(plain);
  });

  it('does not count sizes, paddings, axes and control inputs as values', () => {
    const graph = [
      value('x'),
      value('sizes'),
      node('conv', 'Conv2D', ['x:0', 'x:0']),
      node('pad', 'Pad', ['conv:0', 'sizes:0', '^x']),
      node('joined', 'ConcatV2', ['pad:0', 'x:0', 'sizes:0']),
      node('dx', 'Conv2DBackpropInput', ['sizes:0', 'x:0', 'joined:0']),
      {
        ...node('parts', 'SplitV', ['dx:0', 'sizes:0', 'sizes:0']),
        attributes: { T: attribute.type(float32), num_split: attribute.int(2) },
      },
      node('add', 'AddV2', ['parts:0', 'parts:1']),
    ];
    const result = autocast(graph, everywhere);
    expect(inputsOf(result, 'pad')).toEqual(['conv:0', 'sizes:0', '^x']);
    expect(inputsOf(result, 'joined')).toEqual(['pad:0', 'x_0/bfloat16:0', 'sizes:0']);
    expect(inputsOf(result, 'dx')).toEqual(['sizes:0', 'x_0/bfloat16:0', 'joined:0']);
    expect(typeOf(result, 'add')).toBe(bfloat16);
    expect(casts(result)).toEqual(['x_0/bfloat16']);
  });
});
