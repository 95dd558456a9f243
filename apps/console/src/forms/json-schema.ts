/** The part of JSON Schema (2020-12) that the API's own schemas use. */
export interface JsonSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** What kind of control a schema is edited with. */
export type Control =
  | { readonly kind: 'object'; readonly properties: Readonly<Record<string, JsonSchema>> }
  /** One of several objects, told apart by the constant of `key`. */
  | { readonly kind: 'variants'; readonly key: string; readonly variants: readonly Variant[] }
  | { readonly kind: 'choice'; readonly values: readonly unknown[] }
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number'; readonly isInteger: boolean }
  | { readonly kind: 'numbers' }
  /** Any of some values. */
  | { readonly kind: 'choices'; readonly values: readonly unknown[] }
  | { readonly kind: 'text' };

export interface Variant {
  readonly value: string;
  readonly schema: JsonSchema;
}

export function controlOf(schema: JsonSchema): Control {
  if (schema.const !== undefined) return { kind: 'constant', value: schema.const };
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) return choiceOf(options);
  if (schema.enum !== undefined) return { kind: 'choice', values: schema.enum };
  if (schema.properties !== undefined) return { kind: 'object', properties: schema.properties };
  if (schema.type === 'boolean') return { kind: 'boolean' };
  if (schema.type === 'array') {
    const values = schema.items?.enum;
    return values === undefined ? { kind: 'numbers' } : { kind: 'choices', values };
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    return { kind: 'number', isInteger: schema.type === 'integer' };
  }
  return { kind: 'text' };
}

function choiceOf(options: readonly JsonSchema[]): Control {
  const constants = options.map((option) => option.const);
  if (constants.every((value) => value !== undefined)) return { kind: 'choice', values: constants };
  const key = Object.entries(options[0]?.properties ?? {}).find(
    ([, property]) => property.const !== undefined,
  )?.[0];
  // Such as a number or null: edited as the first of them.
  if (key === undefined) return controlOf(options[0] ?? {});
  const variants = options.map((schema) => ({
    value: String(schema.properties?.[key]?.const),
    schema,
  }));
  return { kind: 'variants', key, variants };
}

/** What a form begins with: constants and first choices of what must be given, and nothing else. */
export function startingValue(schema: JsonSchema): unknown {
  const control = controlOf(schema);
  switch (control.kind) {
    case 'constant':
      return control.value;
    case 'object':
      return startingObject(schema);
    case 'variants':
      return startingObject(control.variants[0]?.schema ?? {});
    case 'choice':
      return control.values[0];
    case 'boolean':
    case 'number':
    case 'numbers':
    case 'choices':
    case 'text':
      return undefined;
  }
}

/** The object of a schema, with what must be given. */
export function startingObject({ properties = {}, required = [] }: JsonSchema): JsonObject {
  const entries = required.flatMap((name) => {
    const value = startingValue(properties[name] ?? {});
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** The object with one field set, or removed by undefined. */
export function withField(object: JsonObject, name: string, value: unknown): JsonObject {
  const next: Record<string, unknown> = { ...object };
  if (value === undefined) delete next[name];
  else next[name] = value;
  return next;
}

/**
 * The object without fields that have their default value: what is left is what a user would write.
 */
export function withoutDefaults(schema: JsonSchema, value: JsonObject): JsonObject {
  const properties = propertiesOf(schema, value);
  const entries = Object.entries(value).flatMap(([name, field]) => {
    const property = properties[name];
    if (property === undefined) return [[name, field] as const];
    const kept = isObject(field) ? withoutDefaults(property, field) : field;
    const isDefault =
      property.default !== undefined && JSON.stringify(kept) === JSON.stringify(property.default);
    return isDefault ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(entries);
}

/** The properties of an object, of the variant that it is where there are several. */
export function propertiesOf(
  schema: JsonSchema,
  value: JsonObject,
): Readonly<Record<string, JsonSchema>> {
  const control = controlOf(schema);
  if (control.kind === 'object') return control.properties;
  if (control.kind !== 'variants') return {};
  const variant = control.variants.find((each) => each.value === String(value[control.key]));
  return variant?.schema.properties ?? {};
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
