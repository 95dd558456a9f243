/** An attribute of an operation as TensorFlow.js hands it to the native binding. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** A tensor that the native binding made. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

export type TensorValues = Float32Array | Int32Array | Uint8Array;
/** What a tensor is made of; a tensor of strings, of their bytes. */
export type TensorSource = TensorValues | readonly Uint8Array[];

/** The native binding of tfjs-node: eager operations, tensors by id, SavedModels by id. */
export interface Binding {
  createTensor(shape: readonly number[], dtype: number, values: TensorSource): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): TensorValues;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputIds: readonly number[],
    numOutputs: number,
  ): TensorMetadata[];
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(
    id: number,
    inputIds: readonly number[],
    inputNames: string,
    outputNames: string,
  ): TensorMetadata[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_Version: string;
}

/** The part of tfjs-node's backend that the recorder stands in for. */
export interface NodeBackend {
  binding: Binding;
  getInputTensorIds(tensors: readonly unknown[]): number[];
}
