import { createRequire } from 'node:module';
import { DataType, type Attribute, type Graph, type Node, type Output } from '../graph-def.js';
import type {
  AttrValueMessage,
  Messages,
  NodeDefMessage,
  SignatureDefMessage,
  TensorInfoMap,
  TensorShapeMessage,
} from './messages.js';

/** Version of TensorFlow's graph format that is written (TF_GRAPH_DEF_VERSION of TensorFlow 2.21). */
const PRODUCER_VERSION = 1882;
const SAVED_MODEL_SCHEMA_VERSION = 1;
/** Tag under which a graph is stored and loaded. */
export const SERVE_TAG = 'serve';

const messages = createRequire(import.meta.url)(
  '@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js',
) as Messages;

/** A value that a signature names. */
export interface SignatureTensor {
  readonly output: Output;
  readonly dtype: number;
  /** -1: any size. */
  readonly shape: readonly number[];
}

/** How a graph is called by name: what `serving_default` is to TensorFlow Serving. */
export interface Signature {
  readonly name: string;
  readonly method: string;
  readonly inputs: Readonly<Record<string, SignatureTensor>>;
  readonly outputs: Readonly<Record<string, SignatureTensor>>;
}

/** The bytes of a `saved_model.pb` that holds the graph (tensorflow/core/protobuf/saved_model.proto). */
export function serialiseSavedModel(graph: Graph, signature?: Signature): Uint8Array {
  const graphDef = new messages.GraphDef();
  graphDef.setNodeList(graph.map(toNodeDef));
  const versions = new messages.VersionDef();
  versions.setProducer(PRODUCER_VERSION);
  graphDef.setVersions(versions);

  const info = new messages.MetaGraphDef.MetaInfoDef();
  info.setTagsList([SERVE_TAG]);
  const metaGraph = new messages.MetaGraphDef();
  metaGraph.setMetaInfoDef(info);
  metaGraph.setGraphDef(graphDef);
  if (signature !== undefined) {
    metaGraph.getSignatureDefMap().set(signature.name, toSignatureDef(signature));
  }

  const savedModel = new messages.SavedModel();
  savedModel.setSavedModelSchemaVersion(SAVED_MODEL_SCHEMA_VERSION);
  savedModel.setMetaGraphsList([metaGraph]);
  return savedModel.serializeBinary();
}

function toSignatureDef({ method, inputs, outputs }: Signature): SignatureDefMessage {
  const message = new messages.SignatureDef();
  message.setMethodName(method);
  const put = (map: TensorInfoMap, tensors: Signature['inputs']): void => {
    for (const [name, { output, dtype, shape }] of Object.entries(tensors)) {
      const info = new messages.TensorInfo();
      info.setName(output);
      info.setDtype(dtype);
      info.setTensorShape(toShape(shape));
      map.set(name, info);
    }
  };
  put(message.getInputsMap(), inputs);
  put(message.getOutputsMap(), outputs);
  return message;
}

function toNodeDef(node: Node): NodeDefMessage {
  const message = new messages.NodeDef();
  message.setName(node.name);
  message.setOp(node.op);
  // Data inputs come before control inputs.
  const isControl = (input: string): boolean => input.startsWith('^');
  message.setInputList([
    ...node.inputs.filter((input) => !isControl(input)),
    ...node.inputs.filter(isControl),
  ]);
  const attributes = message.getAttrMap();
  for (const [name, value] of Object.entries(node.attributes)) {
    attributes.set(name, toAttrValue(value));
  }
  return message;
}

function toAttrValue(attribute: Attribute): AttrValueMessage {
  const message = new messages.AttrValue();
  switch (attribute.kind) {
    case 'type':
      message.setType(attribute.value);
      break;
    case 'int':
      message.setI(attribute.value);
      break;
    case 'float':
      message.setF(attribute.value);
      break;
    case 'bool':
      message.setB(attribute.value);
      break;
    case 'string':
      message.setS(new TextEncoder().encode(attribute.value));
      break;
    case 'shape':
      message.setShape(toShape(attribute.value));
      break;
    case 'tensor': {
      const tensor = new messages.Tensor();
      tensor.setDtype(attribute.dtype);
      tensor.setTensorShape(toShape(attribute.shape));
      tensor.setTensorContent(attribute.bytes);
      message.setTensor(tensor);
      break;
    }
    case 'strings': {
      const tensor = new messages.Tensor();
      tensor.setDtype(DataType.string);
      tensor.setTensorShape(toShape(attribute.shape));
      tensor.setStringValList([...attribute.values]);
      message.setTensor(tensor);
      break;
    }
    case 'bools':
    case 'ints':
    case 'floats':
    case 'types': {
      const list = new messages.AttrValue.ListValue();
      if (attribute.kind === 'bools') list.setBList([...attribute.value]);
      if (attribute.kind === 'ints') list.setIList([...attribute.value]);
      if (attribute.kind === 'floats') list.setFList([...attribute.value]);
      if (attribute.kind === 'types') list.setTypeList([...attribute.value]);
      message.setList(list);
      break;
    }
  }
  return message;
}

function toShape(dimensions: readonly number[]): TensorShapeMessage {
  const message = new messages.TensorShape();
  message.setDimList(
    dimensions.map((size) => {
      const dimension = new messages.TensorShape.Dim();
      dimension.setSize(size);
      return dimension;
    }),
  );
  return message;
}
