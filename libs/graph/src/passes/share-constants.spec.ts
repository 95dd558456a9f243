import { describe, expect, it } from 'vitest';
import { DataType, type Node } from '../graph-def.js';
import { shareConstants } from './share-constants.js';

function constant(
  name: string,
  values: number[],
  options: { dtype?: number; shape?: number[]; inputs?: string[] } = {},
): Node {
  const { dtype = DataType.int32, shape = [values.length], inputs = [] } = options;
  const bytes = new Uint8Array(new Int32Array(values).buffer);
  return {
    name,
    op: 'Const',
    inputs,
    attributes: {
      dtype: { kind: 'type', value: dtype },
      value: { kind: 'tensor', dtype, shape, bytes },
    },
  };
}

const user = (name: string, ...inputs: string[]): Node => ({
  name,
  op: 'AddV2',
  inputs,
  attributes: {},
});

describe('shareConstants', () => {
  it('keeps the first of equal constants and hands it to the users of the others', () => {
    const graph = [
      constant('one', [1]),
      constant('again', [1]),
      user('sum', 'again:0', 'one:0', '^again'),
    ];
    expect(shareConstants(graph)).toEqual([
      constant('one', [1]),
      user('sum', 'one:0', 'one:0', '^one'),
    ]);
  });

  it('keeps constants apart that differ in value, shape or type', () => {
    const graph = [
      constant('zero', [0]),
      constant('one', [1]),
      constant('scalar', [0], { shape: [] }),
      constant('float', [0], { dtype: DataType.float32 }),
      user('all', 'zero:0', 'one:0', 'scalar:0', 'float:0'),
    ];
    expect(shareConstants(graph)).toEqual(graph);
  });

  it('leaves constants with control inputs alone, for they mark a time', () => {
    const graph = [
      user('step'),
      constant('start', [0]),
      constant('done', [0], { inputs: ['^step'] }),
    ];
    expect(shareConstants(graph)).toEqual(graph);
  });

  it('leaves its input as it was', () => {
    const graph = [constant('one', [1]), constant('again', [1]), user('neg', 'again:0')];
    const before = structuredClone(graph);
    shareConstants(graph);
    expect(graph).toEqual(before);
  });
});
