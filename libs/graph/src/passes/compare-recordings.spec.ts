import { EngineError } from '@skipring/trainer';
import { describe, expect, it } from 'vitest';
import { DataType, type Graph } from '../graph-def.js';
import { compareRecordings } from './compare-recordings.js';

/** A dropout of which the mask is a constant. */
const recording = (mask: number, { op = 'Mul', transpose = false } = {}): Graph => [
  {
    name: 'mask',
    op: 'Const',
    inputs: [],
    attributes: {
      value: { kind: 'tensor', dtype: DataType.int32, shape: [], bytes: new Uint8Array([mask]) },
    },
  },
  { name: 'x', op: 'Placeholder', inputs: [], attributes: {} },
  {
    name: 'dropout/Mul',
    op,
    inputs: ['x:0', 'mask:0'],
    attributes: { transpose: { kind: 'bool', value: transpose } },
  },
];

function refusal(first: Graph, second: Graph): EngineError {
  try {
    compareRecordings(first, second);
  } catch (error) {
    if (error instanceof EngineError) return error;
  }
  throw new Error('the recordings were taken as equal');
}

describe('compareRecordings', () => {
  it('accepts two equal recordings', () => {
    expect(() => {
      compareRecordings(recording(1), recording(1));
    }).not.toThrow();
  });

  it('refuses a constant that differs, naming the operation that uses it', () => {
    const error = refusal(recording(1), recording(0));
    expect(error.code).toBe('CONSTANT_DIFFERS');
    expect(error.message).toContain('dropout/Mul');
  });

  it('names the layer of the operation', () => {
    const [first, second] = [1, 0].map((value) =>
      recording(value).map((node) => ({ ...node, layer: 'head/drop' })),
    );
    expect(refusal(first!, second!).message).toContain('of layer head/drop');
  });

  it('names what a longer recording has and a shorter one lacks', () => {
    const [whole, part] = [recording(1), recording(1).slice(0, -1)];
    const last = whole.at(-1)!.name;
    expect(refusal(whole, part).message).toContain(`${last} is missing`);
    expect(refusal(part, whole).message).toContain(`${last} was not there before`);
  });

  it.each([
    ['number of operations', recording(1).slice(0, 2)],
    ['operation', recording(1, { op: 'AddV2' })],
    ['attribute', recording(1, { transpose: true })],
  ])('refuses another %s', (_, other) => {
    expect(refusal(recording(1), other).code).toBe('RECORDING_DIFFERS');
  });
});
