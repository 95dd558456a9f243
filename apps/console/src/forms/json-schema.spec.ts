import { jobSpecSchema } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  controlOf,
  startingValue,
  withField,
  withoutDefaults,
  type JsonObject,
  type JsonSchema,
} from './json-schema.js';

const schema = z.toJSONSchema(jobSpecSchema, { io: 'input' }) as JsonSchema;
const property = (...path: string[]): JsonSchema =>
  path.reduce<JsonSchema>((found, name) => found.properties?.[name] ?? {}, schema);

describe('the job schema as a form', () => {
  it('has a control for each field', () => {
    expect(controlOf(property('apiVersion'))).toEqual({ kind: 'constant', value: 'skipring/v1' });
    expect(controlOf(property('name'))).toEqual({ kind: 'text' });
    expect(controlOf(property('seed'))).toEqual({ kind: 'number', isInteger: true });
    expect(controlOf(property('reduction'))).toMatchObject({ kind: 'choice' });
    expect(controlOf(property('training', 'nesterov'))).toEqual({ kind: 'boolean' });
    const model = controlOf(property('model'));
    expect(model).toMatchObject({ kind: 'variants', key: 'family' });
    const depth = model.kind === 'variants' ? model.variants[0]?.schema.properties?.depth : {};
    expect(controlOf(depth ?? {})).toMatchObject({
      kind: 'choice',
      values: expect.arrayContaining([8, 20]) as unknown,
    });
  });

  it('begins with what must be given', () => {
    expect(startingValue(schema)).toMatchObject({
      apiVersion: 'skipring/v1',
      model: { family: 'resnet-cifar', depth: 8 },
    });
    expect(startingValue(schema)).not.toHaveProperty('lanes');
  });

  it('leaves out what is as it would be anyway', () => {
    const written = {
      apiVersion: 'skipring/v1',
      name: 'a',
      model: { family: 'wide-resnet', depth: 16, width: 4 },
      data: { dataSet: 'glyphs', augmentation: { flip: true } },
      training: { epochs: 3, schedule: { kind: 'step', milestones: [0.5] } },
      workers: { max: 2 },
    };
    const whole = jobSpecSchema.parse(written) as JsonObject;
    expect(withoutDefaults(schema, whole)).toEqual(written);
  });

  it('removes a field that is emptied', () => {
    expect(withField({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 });
    expect(withField({ a: 1 }, 'a', 3)).toEqual({ a: 3 });
  });
});
