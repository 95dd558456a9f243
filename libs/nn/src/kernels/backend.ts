import type { DataType, Tensor, TensorInfo } from '@tensorflow/tfjs';

/** Name under which `@tensorflow/tfjs-node-gpu` registers itself. */
export const BACKEND_NAME = 'tensorflow';

/** An attribute of a TensorFlow operation, as the native binding takes it. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | readonly number[];
}

/** The part of tfjs-node's backend that runs TensorFlow operations by name. */
export interface TensorFlowBackend {
  readonly binding: {
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_FLOAT: number;
    readonly TF_ATTR_INT: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
  };
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: TensorInfo[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: OpAttribute[],
    inputs: TensorInfo[],
    numOutputs: number,
  ): Tensor[];
}

/** The type attribute `name` for values of `dtype`. */
export function typeAttribute(
  { binding }: TensorFlowBackend,
  name: string,
  dtype: Extract<DataType, 'float32' | 'int32'> = 'float32',
): OpAttribute {
  const value = dtype === 'float32' ? binding.TF_FLOAT : binding.TF_INT32;
  return { name, type: binding.TF_ATTR_TYPE, value };
}
