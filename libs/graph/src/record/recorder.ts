import { EngineError } from '@skipring/trainer';
import type * as tf from '@tensorflow/tfjs';
import type {
  Binding,
  NodeBackend,
  OpAttribute,
  TensorMetadata,
  TensorSource,
} from '../binding.js';
import type { GraphBuilder } from '../graph-builder.js';
import { DataType, type Attribute, type Attributes, type Output } from '../graph-def.js';
import { inferredTypes, toAttribute } from './attributes.js';
import { HollowTensors } from './hollow-tensors.js';

/** What a native tensor stands for in the graph. */
interface Recorded {
  readonly output: Output;
  readonly shape: number[];
  readonly dtype: number;
}

/**
 * Writes down what TensorFlow.js does. While it records, it stands in for the backend's native
 * binding: every operation yields tensors of the shapes it would have, and is added to the graph under
 * the same name with the same attributes. Tensors made from JavaScript values become constants;
 * placeholders and variables are announced before.
 */
export class Recorder {
  /** The value in the graph that each native tensor stands for. Ids are never used twice. */
  private readonly values = new Map<number, Recorded>();
  private readonly native: Binding;
  private readonly tensors: HollowTensors;

  constructor(
    private readonly backend: NodeBackend,
    private readonly builder: GraphBuilder,
    /** Begins the names of the recorded nodes. */
    private readonly scope: string,
  ) {
    this.native = backend.binding;
    this.tensors = new HollowTensors(this.native);
  }

  /** From now on `tensor` stands for `output`. */
  bind(tensor: tf.Tensor, output: Output): void {
    const dtype = tensor.dtype === 'int32' ? DataType.int32 : DataType.float32;
    this.values.set(this.idOf(tensor), { output, shape: tensor.shape, dtype });
  }

  /** The value in the graph that `tensor` stands for. Call it while `tensor` is alive. */
  outputOf(tensor: tf.Tensor): Output {
    return this.resolve(this.idOf(tensor)).output;
  }

  /** Runs `body` with the stand-in in place; what `layers` do is recorded under their names. */
  record<T>(layers: readonly tf.layers.Layer[], body: () => T): T {
    const release = layers.map((layer) => this.watch(layer));
    this.backend.binding = this.standIn();
    try {
      return body();
    } finally {
      this.backend.binding = this.native;
      for (const restore of release) restore();
    }
  }

  /** Makes nodes know the layer that they come from; returns how to stop it. */
  private watch(layer: tf.layers.Layer): () => void {
    const own = Object.getOwnPropertyDescriptor(layer, 'call');
    const call = layer.call.bind(layer);
    layer.call = (...inputs) => {
      const outer = this.builder.layer;
      this.builder.layer = layer.name;
      try {
        return call(...inputs);
      } finally {
        this.builder.layer = outer;
      }
    };
    return () => {
      if (own === undefined) Reflect.deleteProperty(layer, 'call');
      else Object.defineProperty(layer, 'call', own);
    };
  }

  /** A plain object, for the binding is a frozen native one that a Proxy can't stand in for. */
  private standIn(): Binding {
    return {
      ...constantsOf(this.native),
      createTensor: (shape: readonly number[], dtype: number, values: TensorSource) =>
        this.createTensor(shape, dtype, values),
      executeOp: (
        name: string,
        attributes: readonly OpAttribute[],
        inputIds: readonly number[],
        numOutputs: number,
      ) => this.executeOp(name, attributes, inputIds, numOutputs),
      deleteTensor: (id: number) => {
        this.native.deleteTensor(id);
      },
      tensorDataSync: () => {
        const { layer } = this.builder;
        throw new EngineError(
          'VALUE_READ',
          `${layer === null ? 'the model' : `layer ${layer}`} reads a tensor's values while it is ` +
            'recorded (dataSync or arraySync): expected operations that do not depend on values',
        );
      },
      isUsingGpuDevice: () => this.native.isUsingGpuDevice(),
      getNumOfTensors: () => this.native.getNumOfTensors(),
      loadSavedModel: refuse,
      deleteSavedModel: refuse,
      runSavedModel: refuse,
    };
  }

  private createTensor(shape: readonly number[], dtype: number, values: TensorSource): number {
    const id = this.native.createTensor(shape, dtype, values);
    const output = ArrayBuffer.isView(values)
      ? this.builder.constant(dtype, shape, values)
      : this.builder.strings(shape, values);
    this.values.set(id, { output, shape: [...shape], dtype });
    return id;
  }

  private executeOp(
    op: string,
    attributes: readonly OpAttribute[],
    inputIds: readonly number[],
    numOutputs: number,
  ): TensorMetadata[] {
    this.requireRecordable(op);
    const inputs = inputIds.map((id) => this.resolve(id));
    const metadata = inputs.map(({ shape, dtype }, index) => ({
      id: inputIds[index] ?? 0,
      shape,
      dtype,
    }));
    const results = this.tensors.execute(op, attributes, metadata, numOutputs);
    const recorded: Attributes = {
      ...inferredTypes(
        op,
        inputs.map(({ dtype }) => dtype),
      ),
      ...Object.fromEntries(attributes.map((entry) => [entry.name, this.attribute(op, entry)])),
    };
    const inputOutputs = inputs.map(({ output }) => output);
    const types = results.map(({ dtype }) => dtype);
    const name = this.builder.node(op, inputOutputs, recorded, `${this.scope}/${op}`, types);
    results.forEach(({ id, shape, dtype }, index) => {
      this.values.set(id, { output: `${name}:${index}`, shape, dtype });
    });
    return results;
  }

  private requireRecordable(op: string): void {
    const why = unsupported[op];
    if (why === undefined) return;
    const { layer } = this.builder;
    const where = layer === null ? 'the model' : `layer ${layer}`;
    throw new EngineError('OPERATION_UNSUPPORTED', `${where} uses operation ${op}: ${why}`);
  }

  private attribute(op: string, entry: OpAttribute): Attribute {
    const { layer } = this.builder;
    return toAttribute(this.native, layer === null ? op : `${op} of layer ${layer}`, entry);
  }

  private resolve(id: number): Recorded {
    const known = this.values.get(id);
    if (known !== undefined) return known;
    // Made before recording began and not announced: a constant, such as a layer's own scalar.
    const [copy] = this.native.executeOp('Identity', [], [id], 1);
    if (copy === undefined) throw new EngineError('TENSOR_UNKNOWN', `tensor ${id} has no value`);
    const output = this.builder.constant(
      copy.dtype,
      copy.shape,
      this.native.tensorDataSync(copy.id),
    );
    this.native.deleteTensor(copy.id);
    const recorded = { output, shape: copy.shape, dtype: copy.dtype };
    this.values.set(id, recorded);
    return recorded;
  }

  private idOf(tensor: tf.Tensor): number {
    const [id] = this.backend.getInputTensorIds([tensor]);
    if (id === undefined) throw new EngineError('TENSOR_UNKNOWN', 'the tensor has no native value');
    return id;
  }
}

const valueShape = 'the shape of what it yields depends on values; expected one that does not';
/** Operations that a graph would freeze a property of, or that would not be a function of a seed. */
const unsupported: Readonly<Record<string, string>> = {
  Multinomial: 'its random numbers depend on the calls before; expected none, or dropout',
  NonMaxSuppressionV3: valueShape,
  NonMaxSuppressionV4: valueShape,
  NonMaxSuppressionV5: valueShape,
  UniqueV2: valueShape,
  Where: valueShape,
};

/** The binding's numbers and strings, which its native object does not enumerate. */
function constantsOf(binding: Binding): Binding {
  const names = Object.getOwnPropertyNames(binding) as (keyof Binding)[];
  return Object.fromEntries(
    names.map((name) => [name, Reflect.get(binding, name) as unknown]),
  ) as unknown as Binding;
}

function refuse(): never {
  throw new EngineError('SESSION_IN_MODEL', 'a model that runs a SavedModel cannot be recorded');
}
