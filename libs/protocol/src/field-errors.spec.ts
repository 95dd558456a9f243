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

describe('valueText', () => {
  it('cuts a long value', () => {
    expect(valueText('x'.repeat(500))).toHaveLength(200);
  });
});
