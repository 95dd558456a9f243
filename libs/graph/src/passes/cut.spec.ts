import { beforeAll, describe, expect, it } from 'vitest';
import { attribute } from '../graph-builder.js';
import { DataType, type Node } from '../graph-def.js';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, randomBatch, smallEngine } from '../testing/small-engine.js';
import { cut } from './cut.js';

const T = attribute.type(DataType.float32);

function node(name: string, op: string, inputs: readonly string[]): Node {
  return { name, op, inputs, attributes: op === 'Placeholder' ? { dtype: T } : { T } };
}

/** y = x * w, and backwards a = y + w, b = a * y, c = b * x: ends a, b and c. */
const graph = [
  node('x', 'Placeholder', []),
  { ...node('handle', 'VarHandleOp', []), attributes: {} },
  { ...node('w', 'ReadVariableOp', ['handle:0']), attributes: { dtype: T } },
  node('y', 'Mul', ['x:0', 'w:0']),
  node('a', 'AddV2', ['y:0', 'w:0']),
  node('b', 'Mul', ['a:0', 'y:0', '^x']),
  node('c', 'Mul', ['b:0', 'x:0', 'w:0']),
];

describe('cut', () => {
  const { graph: result, ends } = cut(graph, ['a:0', 'b:0', 'c:0'], 'cut');
  const inputs = new Map(result.map((entry) => [entry.name, entry.inputs]));

  it('leaves the first segment as it is', () => {
    for (const name of ['x', 'w', 'y', 'a']) {
      expect(inputs.get(name)).toEqual(graph.find((entry) => entry.name === name)?.inputs);
    }
  });

  it('keeps what later segments need, and hands on what those behind them do', () => {
    expect(inputs.get('cut/stage1')).toEqual(['a:0', 'y:0', 'x:0', '^cut/clear1']);
    expect(inputs.get('cut/stage2')).toEqual(['b:0', 'cut/unstage1:2', '^cut/clear2']);
  });

  it('lets a segment read what is kept, and variables by itself', () => {
    expect(inputs.get('b')).toEqual(['cut/unstage1:0', 'cut/unstage1:1']);
    expect(inputs.get('c')).toEqual(['cut/unstage2:0', 'cut/unstage2:1', 'w:0']);
  });

  it('fetches each end once the values for the next segment are kept', () => {
    expect(ends).toEqual(['cut/end0:0', 'cut/end1:0', 'cut/end2:0']);
    expect(inputs.get('cut/end0')).toEqual(['a:0', '^cut/stage1']);
    expect(inputs.get('cut/end1')).toEqual(['b:0', '^cut/stage2']);
    expect(inputs.get('cut/end2')).toEqual(['c:0']);
  });

  it('refuses to keep a value whose type is not known', () => {
    const untyped = graph.map((entry) =>
      entry.name === 'y' ? { ...entry, attributes: {} } : entry,
    );
    expect(() => cut(untyped, ['a:0', 'b:0'], 'cut')).toThrow(
      expect.objectContaining({ code: 'TYPE_UNKNOWN' }),
    );
  });
});

describe('a gradient in segments', () => {
  beforeAll(() => loadTensorFlow({ threads: 1, device: 'cpu' }));

  it.each([
    ['exact', 'float32'],
    ['float32', 'float32'],
    ['exact', 'bfloat16'],
  ] as const)('has the bits of one in one run: %s reduction, %s', (reduction, precision) => {
    const spec = { reduction, precision };
    const whole = smallEngine(spec, undefined, { bucketBytes: Infinity });
    const inParts = smallEngine(spec, undefined, { bucketBytes: 40_000 });
    expect(whole.layout.buckets).toHaveLength(1);
    expect(inParts.layout.buckets.length).toBeGreaterThan(3);
    const exponents = exponentsOf(whole, 20);
    for (const [seed, samples] of [
      [1, 8],
      [2, 4],
      [3, 8],
    ] as const) {
      const batch = randomBatch(seed, samples);
      const expected = whole.forwardBackward(batch, exponents, 2, 0);
      const found = inParts.forwardBackward(batch, exponents, 2, 0);
      expect(Buffer.from(found.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    }
    whole.dispose();
    inParts.dispose();
  });

  it('is that of its own batch after one that was given up in the middle', () => {
    const engine = smallEngine({}, undefined, { bucketBytes: 40_000 });
    const exponents = exponentsOf(engine, 20);
    const expected = engine.forwardBackward(randomBatch(1), exponents, 2, 0);
    for (const parts of engine.segments(randomBatch(2), exponents, 2, 0)) {
      expect(parts.length).toBeGreaterThan(1);
      break;
    }
    expect(engine.forwardBackward(randomBatch(1), exponents, 2, 0)).toEqual(expected);
    engine.dispose();
  });
});
