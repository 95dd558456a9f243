import { describe, expect, it } from 'vitest';
import type { Graph } from '../graph-def.js';
import { prune } from './prune.js';

const graph: Graph = [
  { name: 'a', op: 'Placeholder', inputs: [], attributes: {} },
  { name: 'b', op: 'Placeholder', inputs: [], attributes: {} },
  { name: 'log', op: 'NoOp', inputs: ['b:0'], attributes: {} },
  { name: 'sum', op: 'AddV2', inputs: ['a:0', 'a:0', '^log'], attributes: {} },
  { name: 'unused', op: 'Neg', inputs: ['sum:0'], attributes: {} },
];

describe('prune', () => {
  it('keeps what the outputs need, also by control inputs, in the same order', () => {
    expect(prune(graph, ['sum:0']).map(({ name }) => name)).toEqual(['a', 'b', 'log', 'sum']);
  });

  it('drops what nothing needs', () => {
    expect(prune(graph, ['a:0']).map(({ name }) => name)).toEqual(['a']);
    expect(prune(graph, [])).toEqual([]);
  });

  it('keeps the nodes themselves and leaves its input as it was', () => {
    const before = structuredClone(graph);
    expect(prune(graph, ['unused:0'])).toEqual(before);
    expect(graph).toEqual(before);
  });
});
