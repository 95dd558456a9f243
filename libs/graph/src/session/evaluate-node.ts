import { EngineError } from '@skipring/trainer';
import type { Binding, OpAttribute, TensorValues } from '../binding.js';
import { DataType, type Attribute, type Node } from '../graph-def.js';
import type { Constant } from '../passes/fold-constants.js';

/** Runs one operation of one output by itself, with the kernel that a graph would run. */
export function evaluateNode(binding: Binding, node: Node, inputs: readonly Constant[]): Constant {
  const ids: number[] = [];
  try {
    for (const { shape, dtype, bytes } of inputs) {
      ids.push(binding.createTensor(shape, dtype, valuesOf(dtype, bytes)));
    }
    const attributes = Object.entries(node.attributes).map(([name, attribute]) =>
      toOpAttribute(binding, name, attribute),
    );
    const [result] = binding.executeOp(node.op, attributes, ids, 1);
    if (result === undefined) {
      throw new EngineError('GRAPH_INVALID', `operation ${node.name} yielded nothing`);
    }
    ids.push(result.id);
    const { buffer, byteOffset, byteLength } = binding.tensorDataSync(result.id);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
    return { dtype: result.dtype, shape: result.shape, bytes };
  } finally {
    for (const id of ids) binding.deleteTensor(id);
  }
}

/** Values of a tensor, in memory of their own: bytes may lie at any offset. */
function valuesOf(dtype: number, bytes: Uint8Array): TensorValues {
  const { buffer } = bytes.slice();
  if (dtype === DataType.float32) return new Float32Array(buffer);
  return dtype === DataType.int32 ? new Int32Array(buffer) : new Uint8Array(buffer);
}

function toOpAttribute(binding: Binding, name: string, attribute: Attribute): OpAttribute {
  switch (attribute.kind) {
    case 'bool':
    case 'bools':
      return { name, type: binding.TF_ATTR_BOOL, value: attribute.value };
    case 'float':
    case 'floats':
      return { name, type: binding.TF_ATTR_FLOAT, value: attribute.value };
    case 'int':
    case 'ints':
      return { name, type: binding.TF_ATTR_INT, value: attribute.value };
    case 'shape':
      return { name, type: binding.TF_ATTR_SHAPE, value: attribute.value };
    case 'string':
      return { name, type: binding.TF_ATTR_STRING, value: attribute.value };
    case 'type':
    case 'types':
      return { name, type: binding.TF_ATTR_TYPE, value: attribute.value };
    case 'tensor':
    case 'strings':
      throw new EngineError(
        'ATTRIBUTE_UNSUPPORTED',
        `attribute ${name}: a tensor cannot be passed`,
      );
  }
}
