import { describe, expect, it } from 'vitest';
import { attribute } from '../graph-builder.js';
import { DataType, type Graph, type Node } from '../graph-def.js';
import { skipCasts } from './skip-casts.js';

const { float32, int32 } = DataType;

function cast(name: string, input: string, from: number, to: number, ...waits: string[]): Node {
  const attributes = { SrcT: attribute.type(from), DstT: attribute.type(to) };
  return { name, op: 'Cast', inputs: [input, ...waits], attributes };
}

const graph: Graph = [
  { name: 'x', op: 'Placeholder', inputs: [], attributes: {} },
  cast('same', 'x:0', float32, float32),
  cast('again', 'same:0', float32, float32),
  cast('whole', 'again:0', float32, int32),
  cast('late', 'x:0', float32, float32, '^whole'),
  { name: 'sum', op: 'AddV2', inputs: ['again:0', 'late:0'], attributes: {} },
];

describe('skipCasts', () => {
  it('joins what uses a conversion of a type to itself to what it was given', () => {
    const kept = skipCasts(graph, ['sum:0']);
    expect(kept.map(({ name }) => name)).toEqual(['x', 'whole', 'late', 'sum']);
    expect(kept.map(({ inputs }) => inputs)).toEqual([
      [],
      ['x:0'],
      ['x:0', '^whole'],
      ['x:0', 'late:0'],
    ]);
  });

  it('keeps one that is an output of the graph', () => {
    const kept = skipCasts(graph, ['again:0']);
    expect(kept.find(({ name }) => name === 'again')?.inputs).toEqual(['x:0']);
  });

  it('leaves its input as it was', () => {
    const before = structuredClone(graph);
    skipCasts(graph, []);
    expect(graph).toEqual(before);
  });
});
