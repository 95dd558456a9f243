// Types of the protobuf classes that ship in tfjs-node as JavaScript: what serialising needs of them.

export interface TensorShapeMessage {
  setDimList(dimensions: DimensionMessage[]): void;
}
interface DimensionMessage {
  setSize(size: number): void;
}
interface TensorMessage {
  setDtype(dtype: number): void;
  setTensorShape(shape: TensorShapeMessage): void;
  setTensorContent(bytes: Uint8Array): void;
  setStringValList(values: Uint8Array[]): void;
}
interface ListValueMessage {
  setIList(values: number[]): void;
  setFList(values: number[]): void;
  setTypeList(values: number[]): void;
  setBList(values: boolean[]): void;
}
export interface AttrValueMessage {
  setType(value: number): void;
  setI(value: number): void;
  setF(value: number): void;
  setB(value: boolean): void;
  setS(value: Uint8Array): void;
  setShape(value: TensorShapeMessage): void;
  setTensor(value: TensorMessage): void;
  setList(value: ListValueMessage): void;
}
export interface NodeDefMessage {
  setName(name: string): void;
  setOp(op: string): void;
  setInputList(inputs: string[]): void;
  getAttrMap(): { set(name: string, value: AttrValueMessage): void };
}
interface VersionDefMessage {
  setProducer(version: number): void;
}
interface GraphDefMessage {
  setNodeList(nodes: NodeDefMessage[]): void;
  setVersions(versions: VersionDefMessage): void;
}
interface MetaInfoDefMessage {
  setTagsList(tags: string[]): void;
}
interface TensorInfoMessage {
  setName(name: string): void;
  setDtype(dtype: number): void;
  setTensorShape(shape: TensorShapeMessage): void;
}
export interface TensorInfoMap {
  set(name: string, value: TensorInfoMessage): void;
}
export interface SignatureDefMessage {
  setMethodName(name: string): void;
  getInputsMap(): TensorInfoMap;
  getOutputsMap(): TensorInfoMap;
}
interface MetaGraphDefMessage {
  getSignatureDefMap(): { set(name: string, value: SignatureDefMessage): void };
  setMetaInfoDef(info: MetaInfoDefMessage): void;
  setGraphDef(graph: GraphDefMessage): void;
}
interface SavedModelMessage {
  setSavedModelSchemaVersion(version: number): void;
  setMetaGraphsList(graphs: MetaGraphDefMessage[]): void;
  serializeBinary(): Uint8Array;
}

export interface Messages {
  readonly NodeDef: new () => NodeDefMessage;
  readonly AttrValue: (new () => AttrValueMessage) & {
    readonly ListValue: new () => ListValueMessage;
  };
  readonly Tensor: new () => TensorMessage;
  readonly TensorShape: (new () => TensorShapeMessage) & {
    readonly Dim: new () => DimensionMessage;
  };
  readonly TensorInfo: new () => TensorInfoMessage;
  readonly SignatureDef: new () => SignatureDefMessage;
  readonly VersionDef: new () => VersionDefMessage;
  readonly GraphDef: new () => GraphDefMessage;
  readonly MetaGraphDef: (new () => MetaGraphDefMessage) & {
    readonly MetaInfoDef: new () => MetaInfoDefMessage;
  };
  readonly SavedModel: new () => SavedModelMessage;
}
