import type { SweepSpecInput } from '@skipring/protocol';
import { controlOf, type JsonSchema } from '../forms/json-schema.js';
import { numberOf } from '../forms/number-text.js';

/** What a parameter of a sweep is while it is edited: as it was typed. */
export interface ParameterRow {
  /** Of the job, such as `training.learningRate`. */
  readonly field: string;
  readonly kind: 'values' | 'range';
  /** Separated by commas. */
  readonly values: string;
  readonly min: string;
  readonly max: string;
  readonly scale: 'linear' | 'log';
  readonly isInteger: boolean;
}

export const EMPTY_ROW: ParameterRow = {
  field: '',
  kind: 'values',
  values: '',
  min: '',
  max: '',
  scale: 'linear',
  isInteger: false,
};

/** A field of a job that trials may differ in. */
export interface SweepField {
  /** With dots. */
  readonly name: string;
  readonly isNumber: boolean;
}

/** The fields of a job's schema that hold one value, those of all variants among them, in order. */
export function sweepFields(schema: JsonSchema, prefix: readonly string[] = []): SweepField[] {
  const control = controlOf(schema);
  const within = (properties: Readonly<Record<string, JsonSchema>>): SweepField[] =>
    Object.entries(properties).flatMap(([name, property]) =>
      sweepFields(property, [...prefix, name]),
    );
  switch (control.kind) {
    case 'object':
      return within(control.properties);
    case 'variants': {
      const kind = { name: [...prefix, control.key].join('.'), isNumber: false };
      const all = control.variants.flatMap((variant) => within(variant.schema.properties ?? {}));
      return [...new Map([kind, ...all].map((field) => [field.name, field])).values()];
    }
    case 'choice':
      return [
        {
          name: prefix.join('.'),
          isNumber: control.values.every((value) => typeof value === 'number'),
        },
      ];
    case 'boolean':
      return [{ name: prefix.join('.'), isNumber: false }];
    case 'number':
      return [{ name: prefix.join('.'), isNumber: true }];
    case 'text':
      // An object of any fields is no single value.
      return schema.type === 'string' ? [{ name: prefix.join('.'), isNumber: false }] : [];
    case 'constant':
    case 'numbers':
    case 'choices':
      return [];
  }
}

/** The parameters as a sweep has them. What was typed wrongly stays so, for the schema to find. */
export function parametersOf(rows: readonly ParameterRow[]): SweepSpecInput['parameters'] {
  return Object.fromEntries(rows.map((row) => [row.field, parameterOf(row)]));
}

function parameterOf(row: ParameterRow): SweepSpecInput['parameters'][string] {
  if (row.kind === 'values') {
    const texts = row.values.split(',').filter((text) => text.trim() !== '');
    return { values: texts.map(valueOf) };
  }
  const [min, max] = [numberOf(row.min), numberOf(row.max)];
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(row.scale === 'linear' ? {} : { scale: row.scale }),
    ...(row.isInteger ? { integer: true } : {}),
  } as SweepSpecInput['parameters'][string];
}

function valueOf(text: string): string | number | boolean {
  const trimmed = text.trim();
  if (trimmed === 'true' || trimmed === 'false') return trimmed === 'true';
  return numberOf(trimmed) ?? trimmed;
}
