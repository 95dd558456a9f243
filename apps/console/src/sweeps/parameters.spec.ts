import { jobSpecSchema } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonSchema } from '../forms/json-schema.js';
import { EMPTY_ROW, parametersOf, sweepFields } from './parameters.js';

describe('sweepFields', () => {
  const fields = sweepFields(z.toJSONSchema(jobSpecSchema, { io: 'input' }) as JsonSchema);
  const names = fields.map(({ name }) => name);

  it('has what holds one value, of all variants, each once', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        ...['model.family', 'model.depth', 'model.width', 'training.learningRate', 'reduction'],
        ...['training.optimizer.kind', 'training.optimizer.epsilon', 'data.augmentation.flip'],
      ]),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('leaves out lists, objects and what is the same in every job', () => {
    for (const name of ['training', 'training.schedule.milestones', 'apiVersion']) {
      expect(names).not.toContain(name);
    }
  });

  it('knows which are numbers, and so may be drawn from a range', () => {
    const isNumber = new Map(fields.map((field) => [field.name, field.isNumber]));
    expect(isNumber.get('training.learningRate')).toBe(true);
    expect(isNumber.get('data.augmentation.flip')).toBe(false);
    expect(isNumber.get('reduction')).toBe(false);
  });
});

describe('parametersOf', () => {
  it('reads values of each type, and ranges', () => {
    const rows = [
      { ...EMPTY_ROW, field: 'a', values: '0.1, 1e-3,  adam, true,' },
      { ...EMPTY_ROW, field: 'b', kind: 'range', min: '1e-4', max: '1', scale: 'log' },
      { ...EMPTY_ROW, field: 'c', kind: 'range', min: '1', max: '8', isInteger: true },
    ] as const;
    expect(parametersOf(rows)).toEqual({
      a: { values: [0.1, 0.001, 'adam', true] },
      b: { min: 1e-4, max: 1, scale: 'log' },
      c: { min: 1, max: 8, integer: true },
    });
  });

  it('keeps what was typed wrongly, and leaves out what is missing', () => {
    const row = { ...EMPTY_ROW, field: 'a', kind: 'range', min: 'x' } as const;
    expect(parametersOf([row])).toEqual({ a: { min: 'x' } });
  });
});
