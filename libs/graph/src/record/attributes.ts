import { EngineError } from '@skipring/trainer';
import type { Binding, OpAttribute } from '../binding.js';
import type { Attribute, Attributes } from '../graph-def.js';

/** The attribute of a recorded operation. Throws EngineError ATTRIBUTE_UNSUPPORTED. */
export function toAttribute(
  binding: Binding,
  op: string,
  { name, type, value }: OpAttribute,
): Attribute {
  const isList = Array.isArray(value);
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return isList
        ? { kind: 'types', value: value as number[] }
        : { kind: 'type', value: value as number };
    case binding.TF_ATTR_INT:
      return isList
        ? { kind: 'ints', value: value as number[] }
        : { kind: 'int', value: Number(value) };
    case binding.TF_ATTR_FLOAT:
      return isList
        ? { kind: 'floats', value: value as number[] }
        : { kind: 'float', value: value as number };
    case binding.TF_ATTR_BOOL:
      return isList
        ? { kind: 'bools', value: value as boolean[] }
        : { kind: 'bool', value: value as boolean };
    case binding.TF_ATTR_STRING:
      if (typeof value === 'string') return { kind: 'string', value };
      break;
    case binding.TF_ATTR_SHAPE:
      if (isList) return { kind: 'shape', value: value as number[] };
      break;
  }
  throw new EngineError(
    'ATTRIBUTE_UNSUPPORTED',
    `operation ${op}: attribute ${name} = ${JSON.stringify(value)} cannot be recorded`,
  );
}

/** Type attributes that TensorFlow.js leaves to eager execution to infer: attribute -> input. */
const inferred: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ExpandDims: { T: 0, Tdim: 1 },
};

/** What eager execution infers from the types of the inputs, and a graph must spell out. */
export function inferredTypes(op: string, inputTypes: readonly number[]): Attributes {
  return Object.fromEntries(
    Object.entries(inferred[op] ?? {}).map(([name, input]) => [
      name,
      { kind: 'type', value: inputTypes[input] ?? 0 },
    ]),
  );
}
