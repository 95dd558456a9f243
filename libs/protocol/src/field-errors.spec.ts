import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldErrors, valueText } from './field-errors.js';

const schema = z.strictObject({
  name: z.string().max(3),
  count: z.int().min(1),
  kind: z.enum(['a', 'b']),
  'a/b': z.array(z.boolean()).min(1),
});

describe('fieldErrors', () => {
  it('names field, value and what was expected, of all problems', () => {
    const input = { name: 'long', count: 0, kind: 'c', 'a/b': [], extra: { x: 1 } };
    expect(fieldErrors(schema.safeParse(input).error?.issues ?? [], input)).toEqual([
      { field: '/name', value: '"long"', expected: 'at most 3 characters' },
      { field: '/count', value: '0', expected: 'at least 1' },
      { field: '/kind', value: '"c"', expected: 'one of "a", "b"' },
      { field: '/a~1b', value: '[]', expected: 'at least 1 items' },
      { field: '/extra', value: '{"x":1}', expected: 'no such field' },
    ]);
  });

  it('tells a missing field from one of the wrong type', () => {
    const input = { count: 'x', kind: 'a', 'a/b': [1] };
    expect(fieldErrors(schema.safeParse(input).error?.issues ?? [], input)).toEqual([
      { field: '/name', value: '(missing)', expected: 'a string' },
      { field: '/count', value: '"x"', expected: 'a number' },
      { field: '/a~1b/0', value: '1', expected: 'a boolean' },
    ]);
  });
});

describe('fieldErrors of a union', () => {
  const union = z.strictObject({
    of: z.union([
      z.strictObject({ values: z.array(z.union([z.string(), z.number()])).min(1) }),
      z
        .strictObject({ min: z.number(), max: z.number() })
        .refine(({ min, max }) => min < max, { path: ['min'], message: 'expected less than max' }),
    ]),
  });

  it.each([
    [{ values: [] }, [{ field: '/of/values', value: '[]', expected: 'at least 1 items' }]],
    [{ min: 2, max: 1 }, [{ field: '/of/min', value: '2', expected: 'less than max' }]],
    [{ min: 2 }, [{ field: '/of/max', value: '(missing)', expected: 'a number' }]],
    [
      { values: [true] },
      [{ field: '/of/values/0', value: 'true', expected: 'a string or a number' }],
    ],
    ['x', [{ field: '/of', value: '"x"', expected: 'an object' }]],
  ])('of %j tells what is wrong by the branch that was meant', (of, expected) => {
    const input = { of };
    expect(fieldErrors(union.safeParse(input).error?.issues ?? [], input)).toEqual(expected);
  });
});

describe('valueText', () => {
  it('cuts a long value', () => {
    expect(valueText('x'.repeat(500))).toHaveLength(200);
  });
});
