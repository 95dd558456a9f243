import { describe, expect, it } from 'vitest';
import type { TensorMap } from '@skipring/trainer';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

const tensors: TensorMap = new Map([
  ['weights', { shape: [2, 2], values: Float32Array.of(1, -2, 3.5, NaN) }],
  ['bias', { shape: [3], values: Float32Array.of(0, -0, Infinity) }],
  ['scalar', { shape: [], values: Float32Array.of(7) }],
  ['nothing', { shape: [0, 4], values: new Float32Array(0) }],
  ['__proto__', { shape: [1], values: Float32Array.of(9) }],
]);

/** A file with a header of one's own making. */
function fileOf(
  header: string,
  dataBytes: number,
  headerLength = BigInt(header.length),
): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength);
  return Buffer.concat([length, Buffer.from(header, 'latin1'), Buffer.alloc(dataBytes)]);
}

const entry = (fields: object = {}): string =>
  JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields } });

describe('safetensors', () => {
  it('gives back the same names, shapes and bits', () => {
    const decoded = decodeSafetensors(encodeSafetensors(tensors));
    expect([...decoded.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, { shape, values }] of tensors) {
      expect(decoded.get(name)?.shape).toEqual(shape);
      expect(Buffer.from(decoded.get(name)!.values.buffer)).toEqual(Buffer.from(values.buffer));
    }
  });

  it('is canonical: the order of insertion does not matter', () => {
    const reversed = new Map([...tensors].reverse());
    expect(encodeSafetensors(reversed)).toEqual(encodeSafetensors(tensors));
  });

  it('is laid out as its specification says', () => {
    const file = Buffer.from(
      encodeSafetensors(new Map([['b', { shape: [1], values: Float32Array.of(1) }]])),
    );
    const header = '{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.padEnd(56);
    expect(file.readBigUInt64LE()).toBe(56n);
    expect(file.subarray(8, 64).toString()).toBe(header);
    expect(file.subarray(64).toString('hex')).toBe('0000803f');
  });

  it('reads a file at any alignment, and one with metadata', () => {
    const file = encodeSafetensors(tensors);
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    expect(decodeSafetensors(shifted.subarray(1)).get('scalar')?.values[0]).toBe(7);
    const info = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
    const header = JSON.stringify({ __metadata__: { format: 'pt' }, a: info });
    expect([...decodeSafetensors(fileOf(header, 4)).keys()]).toEqual(['a']);
  });

  it('refuses to write values that do not fit their shape', () => {
    const wrong = new Map([['w', { shape: [3], values: new Float32Array(2) }]]);
    expect(() => encodeSafetensors(wrong)).toThrow('"w": 2 values; expected 3');
  });

  it.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), '0 bytes'],
    ['half a length', new Uint8Array(7), '7 bytes'],
    ['a header past the end', fileOf(entry(), 8, 5000n), 'header length is 5000'],
    [
      'a header of 2^63 bytes',
      fileOf(entry(), 8, 2n ** 63n),
      'header length is 9223372036854775808',
    ],
    ['an empty header', fileOf('', 8), 'header length is 0'],
    ['a cut header', fileOf(entry().slice(0, -3), 8), 'not JSON'],
    ['a header that is not UTF-8', fileOf('{"\xff":1}', 0), 'not JSON in UTF-8'],
    ['an array', fileOf('[1]', 0), 'not a JSON object'],
    ['null', fileOf('null', 0), 'not a JSON object'],
    ['a number for a tensor', fileOf('{"a":1}', 0), 'expected an object'],
    ['another dtype', fileOf(entry({ dtype: 'F64' }), 8), 'dtype is "F64"'],
    ['no shape', fileOf(entry({ shape: undefined }), 8), 'shape is missing'],
    ['a negative size', fileOf(entry({ shape: [-2] }), 8), 'shape is [-2]'],
    ['a fractional size', fileOf(entry({ shape: [0.5] }), 8), 'shape is [0.5]'],
    ['a text for a size', fileOf(entry({ shape: ['2'] }), 8), 'shape is ["2"]'],
    ['too many dimensions', fileOf(entry({ shape: Array(17).fill(1) }), 8), 'up to 16'],
    ['a huge shape', fileOf(entry({ shape: [2 ** 52, 2 ** 52] }), 8), 'span 8 bytes'],
    ['a shape that overflows', fileOf(entry({ shape: Array(16).fill(2 ** 53 - 1) }), 8), 'span 8'],
    ['one offset', fileOf(entry({ data_offsets: [0] }), 8), 'data_offsets is [0]'],
    ['offsets the wrong way', fileOf(entry({ data_offsets: [8, 0] }), 8), 'span -8 bytes'],
    ['offsets of another size', fileOf(entry({ data_offsets: [0, 4] }), 4), 'span 4 bytes'],
    ['a gap before the data', fileOf(entry({ data_offsets: [4, 12] }), 12), 'without gaps'],
    ['data past the end', fileOf(entry(), 4), 'end at byte'],
    ['bytes after the data', fileOf(entry(), 9), 'expected no other bytes'],
    [
      'overlapping tensors',
      fileOf(`${entry().slice(0, -1)},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8),
      'without gaps',
    ],
    [
      'a name twice',
      fileOf(
        `${entry({ shape: [1], data_offsets: [0, 4] }).slice(0, -1)},${entry({ shape: [1], data_offsets: [4, 8] }).slice(1)}`,
        8,
      ),
      'without gaps',
    ],
  ])('refuses %s', (_, file, message) => {
    expect(() => decodeSafetensors(file)).toThrow(message);
    expect(() => decodeSafetensors(file)).toThrow(
      expect.objectContaining({ code: 'INVALID_SAFETENSORS' }),
    );
  });
});
