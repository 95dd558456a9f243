import { EngineError, type TensorData } from '@skipring/trainer';
import { inputChannels, layerStack, tensorOf, type TrainedModel } from './trained-model.js';

/** A layer in a `model.json`, in the form of Keras. */
interface LayerEntry {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes: unknown;
}

interface Topology {
  readonly class_name: string;
  readonly config: {
    readonly layers: readonly LayerEntry[];
    readonly output_layers: readonly (readonly [string, number, number])[];
  };
}

interface Weight {
  readonly name: string;
  readonly tensor: TensorData;
}

const NORMALISE = 'normalise';
const PROBABILITIES = 'probabilities';
const NORMALISE_EPSILON = 1e-3;

/** The two files of a model in TensorFlow.js's layers format. */
export interface LayersModelFiles {
  readonly 'model.json': Uint8Array;
  readonly 'weights.bin': Uint8Array;
}

/**
 * A model for `tf.loadLayersModel`, of stock layers alone: pixel values from 0 to 255, float32
 * [samples, height, width, channels], to class probabilities [samples, classes]. The normalisation is
 * a first batch norm, and option A's shortcut a 1x1 convolution by a unit kernel.
 */
export function layersModel(trained: TrainedModel): LayersModelFiles {
  const stack = layerStack(trained.card);
  const topology = stack.toJSON(undefined, false) as unknown as Topology;
  const weights: Weight[] = [];
  const layers = topology.config.layers.flatMap((layer) => {
    if (layer.class_name === 'InputLayer') {
      weights.push(...normalisation(trained));
      return [layer, normaliseLayer(layer.name)];
    }
    const channels = inputChannels(stack.getLayer(layer.name));
    const { entry, own } = stockLayer(layer, trained, channels);
    weights.push(...own);
    return [{ ...entry, inbound_nodes: behindNormalisation(entry.inbound_nodes, topology) }];
  });
  const [last = ['', 0, 0]] = topology.config.output_layers;
  layers.push({
    name: PROBABILITIES,
    class_name: 'Activation',
    config: { activation: 'softmax', name: PROBABILITIES, trainable: true },
    inbound_nodes: [[[...last, {}]]],
  });
  const config = { ...topology.config, layers, output_layers: [[PROBABILITIES, 0, 0]] };
  const json = {
    format: 'layers-model',
    generatedBy: 'skipring',
    convertedBy: null,
    userDefinedMetadata: { skipring: trained.card },
    modelTopology: {
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
      model_config: { class_name: topology.class_name, config },
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: weights.map(({ name, tensor }) => ({
          name,
          shape: tensor.shape,
          dtype: 'float32',
        })),
      },
    ],
  };
  return {
    'model.json': Buffer.from(JSON.stringify(json)),
    'weights.bin': Buffer.concat(
      weights.map(({ tensor: { values } }) =>
        Buffer.from(values.buffer, values.byteOffset, values.byteLength),
      ),
    ),
  };
}

/** What reads the input reads the normalised input. */
function behindNormalisation(nodes: unknown, { config }: Topology): unknown {
  const inputs = config.layers
    .filter(({ class_name }) => class_name === 'InputLayer')
    .map(({ name }) => name);
  return JSON.parse(JSON.stringify(nodes), (_key, value: unknown) =>
    typeof value === 'string' && inputs.includes(value) ? NORMALISE : value,
  ) as unknown;
}

function normaliseLayer(input: string): LayerEntry {
  return {
    name: NORMALISE,
    class_name: 'BatchNormalization',
    config: {
      axis: -1,
      momentum: 0.99,
      epsilon: NORMALISE_EPSILON,
      center: false,
      scale: false,
      name: NORMALISE,
      trainable: false,
    },
    inbound_nodes: [[[input, 0, 0, {}]]],
  };
}

function normalisation({ card: { image } }: TrainedModel): Weight[] {
  const vector = (values: readonly number[]): TensorData => ({
    shape: [image.channels],
    values: Float32Array.from(values),
  });
  const variance = image.standardDeviation.map((std) => (255 * std) ** 2 - NORMALISE_EPSILON);
  return [
    { name: `${NORMALISE}/moving_mean`, tensor: vector(image.mean.map((mean) => 255 * mean)) },
    { name: `${NORMALISE}/moving_variance`, tensor: vector(variance) },
  ];
}

/** The stock layer that does the same, with its weights. */
function stockLayer(
  layer: LayerEntry,
  trained: TrainedModel,
  channels: number,
): { entry: LayerEntry; own: Weight[] } {
  const { name, config } = layer;
  const weight = (own: string, stock: string): Weight => ({
    name: `${name}/${stock}`,
    tensor: tensorOf(trained, `${name}/${own}`),
  });
  switch (layer.class_name) {
    case 'FusedBatchNormalization': {
      const { momentum, epsilon } = config;
      const [center, scale] = [config.center !== false, config.scale !== false];
      const stock = { axis: -1, momentum, epsilon, center, scale, name };
      const own = [
        ...(scale ? [weight('gamma', 'gamma')] : []),
        ...(center ? [weight('beta', 'beta')] : []),
        weight('movingMean', 'moving_mean'),
        weight('movingVariance', 'moving_variance'),
      ];
      return { entry: { ...layer, class_name: 'BatchNormalization', config: stock }, own };
    }
    case 'SubsampleShortcut': {
      const { stride, filters } = config as { stride: number; filters: number };
      const kernel = unitKernel(channels, filters);
      const stock = {
        filters,
        kernel_size: [1, 1],
        strides: [stride, stride],
        padding: 'valid',
        use_bias: false,
        activation: 'linear',
        name,
        trainable: false,
      };
      const own = [{ name: `${name}/kernel`, tensor: kernel }];
      return { entry: { ...layer, class_name: 'Conv2D', config: stock }, own };
    }
    case 'Conv2D':
    case 'Dense': {
      const bias = config.use_bias === true ? [weight('bias', 'bias')] : [];
      return { entry: layer, own: [weight('kernel', 'kernel'), ...bias] };
    }
    case 'SeededDropout': {
      const stock = { rate: config.rate, noise_shape: null, seed: null, name, trainable: true };
      return { entry: { ...layer, class_name: 'Dropout', config: stock }, own: [] };
    }
    case 'DepthwiseConv2D':
    case 'SeparableConv2D': {
      const kernels = ['depthwise_kernel'];
      if (layer.class_name === 'SeparableConv2D') kernels.push('pointwise_kernel');
      if (config.use_bias === true) kernels.push('bias');
      return { entry: layer, own: kernels.map((kernel) => weight(kernel, kernel)) };
    }
    case 'LayerNormalization': {
      const kept = ['gamma', 'beta'].filter((own) => trained.tensors.has(`${name}/${own}`));
      return { entry: layer, own: kept.map((own) => weight(own, own)) };
    }
    default:
      if ([...trained.tensors.keys()].some((tensor) => tensor.startsWith(`${name}/`))) {
        const message = `layer ${name} is a ${layer.class_name}, whose weights have no stock form here`;
        throw new EngineError('EXPORT_UNSUPPORTED', message);
      }
      return { entry: layer, own: [] };
  }
}

/** [1, 1, inputs, outputs]: keeps the inputs and adds channels of zeros. */
function unitKernel(inputs: number, outputs: number): TensorData {
  const values = new Float32Array(inputs * outputs);
  for (let channel = 0; channel < inputs; channel++) values[channel * outputs + channel] = 1;
  return { shape: [1, 1, inputs, outputs], values };
}
