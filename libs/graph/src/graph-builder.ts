import { DataType, type Attribute, type Attributes, type Node, type Output } from './graph-def.js';

/** Short ways to write attributes. */
export const attribute = {
  type: (value: number): Attribute => ({ kind: 'type', value }),
  int: (value: number): Attribute => ({ kind: 'int', value }),
  bool: (value: boolean): Attribute => ({ kind: 'bool', value }),
  string: (value: string): Attribute => ({ kind: 'string', value }),
  shape: (value: readonly number[]): Attribute => ({ kind: 'shape', value }),
};

/** Adds nodes with names that are unique in one graph. */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  /** Layer of the nodes that are added from now on. */
  layer: string | null = null;
  private readonly names = new Map<string, number>();

  /** Adds a node; returns its name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    hint: string = op,
    types?: readonly number[],
  ): string {
    const count = this.names.get(hint) ?? 0;
    this.names.set(hint, count + 1);
    const name = count === 0 ? hint : `${hint}_${count}`;
    const { layer } = this;
    this.nodes.push({
      name,
      op,
      inputs,
      attributes,
      ...(types === undefined ? {} : { types }),
      ...(layer === null ? {} : { layer }),
    });
    return name;
  }

  /** Adds a node of which the first output matters. */
  add(op: string, inputs: readonly string[], attributes: Attributes, hint?: string): Output {
    return `${this.node(op, inputs, attributes, hint)}:0`;
  }

  placeholder(name: string, dtype: number, shape: readonly number[]): Output {
    const attributes = { dtype: attribute.type(dtype), shape: attribute.shape(shape) };
    return this.add('Placeholder', [], attributes, name);
  }

  floats(values: readonly number[], shape: readonly number[]): Output {
    return this.constant(DataType.float32, shape, new Float32Array(values));
  }

  ints(values: readonly number[], shape: readonly number[]): Output {
    return this.constant(DataType.int32, shape, new Int32Array(values));
  }

  constant(dtype: number, shape: readonly number[], values: ArrayBufferView): Output {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    return this.add('Const', [], {
      dtype: attribute.type(dtype),
      value: { kind: 'tensor', dtype, shape, bytes },
    });
  }

  strings(shape: readonly number[], values: readonly Uint8Array[]): Output {
    return this.add('Const', [], {
      dtype: attribute.type(DataType.string),
      value: { kind: 'strings', shape, values },
    });
  }

  /** A value that is there once all `nodes` have run. */
  after(nodes: readonly string[], name: string): Output {
    const one = {
      kind: 'tensor',
      dtype: DataType.int32,
      shape: [],
      bytes: new Uint8Array(4),
    } as const;
    const dtype = attribute.type(DataType.int32);
    const controls = nodes.map((node) => `^${node}`);
    return this.add('Const', controls, { dtype, value: one }, name);
  }

  /** Element-wise operations on values of one type, by name. */
  unary(op: string, x: Output, dtype: number = DataType.float32): Output {
    return this.add(op, [x], { T: attribute.type(dtype) });
  }

  binary(op: string, x: Output, y: Output, dtype: number = DataType.float32): Output {
    return this.add(op, [x, y], { T: attribute.type(dtype) });
  }

  reshape(x: Output, shape: readonly number[], dtype: number = DataType.float32): Output {
    return this.add('Reshape', [x, this.ints(shape, [shape.length])], {
      T: attribute.type(dtype),
      Tshape: attribute.type(DataType.int32),
    });
  }

  /** A float32 value of the given shape as a vector. */
  flatten(x: Output, shape: readonly number[]): Output {
    return this.reshape(x, [shape.reduce((product, size) => product * size, 1)]);
  }

  cast(x: Output, from: number, to: number): Output {
    return this.add('Cast', [x], { SrcT: attribute.type(from), DstT: attribute.type(to) });
  }

  /** Reduction of a vector to a scalar. */
  reduce(op: 'Max' | 'Sum', x: Output, dtype: number = DataType.float32): Output {
    return this.add(op, [x, this.ints([0], [1])], {
      T: attribute.type(dtype),
      Tidx: attribute.type(DataType.int32),
      keep_dims: attribute.bool(false),
    });
  }

  /** Vectors end to end. */
  concat(parts: readonly Output[], dtype: number): Output {
    return this.add('ConcatV2', [...parts, this.ints([0], [])], {
      N: attribute.int(parts.length),
      T: attribute.type(dtype),
      Tidx: attribute.type(DataType.int32),
    });
  }

  /** Scalars as a vector. */
  pack(parts: readonly Output[], dtype: number): Output {
    return this.add('Pack', parts, {
      N: attribute.int(parts.length),
      T: attribute.type(dtype),
      axis: attribute.int(0),
    });
  }

  /** The elements of a vector of `count` elements, as scalars. */
  unpack(x: Output, count: number, dtype: number): Output[] {
    const name = this.node('Unpack', [x], {
      num: attribute.int(count),
      T: attribute.type(dtype),
      axis: attribute.int(0),
    });
    return Array.from({ length: count }, (_, index) => `${name}:${index}`);
  }

  /** A vector cut into pieces of the given lengths. */
  split(x: Output, lengths: readonly number[], dtype: number): Output[] {
    const name = this.node(
      'SplitV',
      [x, this.ints(lengths, [lengths.length]), this.ints([0], [])],
      {
        num_split: attribute.int(lengths.length),
        T: attribute.type(dtype),
        Tlen: attribute.type(DataType.int32),
      },
    );
    return lengths.map((_, index) => `${name}:${index}`);
  }
}
