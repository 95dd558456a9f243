/** TensorFlow's numbers of element types (tensorflow/core/framework/types.proto). */
export const DataType = {
  float32: 1,
  int32: 3,
  string: 7,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  resource: 20,
} as const;

/** Value of an attribute, by its kind in `AttrValue` (tensorflow/core/framework/attr_value.proto). */
export type Attribute =
  | { readonly kind: 'type'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'shape'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'types'; readonly value: readonly number[] }
  | { readonly kind: 'bools'; readonly value: readonly boolean[] }
  | {
      readonly kind: 'strings';
      readonly shape: readonly number[];
      /** Values of a tensor of strings, row-major. */
      readonly values: readonly Uint8Array[];
    }
  | {
      readonly kind: 'tensor';
      readonly dtype: number;
      readonly shape: readonly number[];
      /** Row-major values, little endian. */
      readonly bytes: Uint8Array;
    };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One operation of a graph. */
export interface Node {
  readonly name: string;
  readonly op: string;
  /** `name:index` of a value, or `^name` of a node that must have run before. */
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
  /** Element types of its outputs; absent for a node that was not recorded. */
  readonly types?: readonly number[];
  /** The layer that asked for it while the model was recorded; absent outside of layers. */
  readonly layer?: string;
}

/** Nodes in an order in which each comes after its inputs. */
export type Graph = readonly Node[];

/** One value in a graph: output `index` of the node, as `name:index`. */
export type Output = string;

/** The node that a reference (`name:index` or `^name`) points to. */
export function nodeNameOf(input: string): string {
  const end = input.indexOf(':');
  return input.slice(input.startsWith('^') ? 1 : 0, end === -1 ? undefined : end);
}
