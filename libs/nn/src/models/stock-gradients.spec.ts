import * as tf from '@tensorflow/tfjs';
import type { ModelSpec } from '@skipring/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerFusedKernels } from '../kernels/register.js';
import { softmaxCrossEntropy } from '../loss.js';
import { normals, relativeError } from '../testing/numbers.js';
import { buildModel, type InputShape } from './build-model.js';
import type { TrainableModel } from './trainable-model.js';

const NUM_CLASSES = 5;
const LABEL_SMOOTHING = 0.1;

/** Option A by operations whose gradients TensorFlow.js has itself. */
class StockShortcut extends tf.layers.Layer {
  static readonly className = 'StockShortcut';
  private readonly stride: number;
  private readonly filters: number;
  constructor(config: { name?: string; stride: number; filters: number }) {
    super({ ...config });
    this.stride = config.stride;
    this.filters = config.filters;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const kept = tf.maxPool(x, 1, this.stride, 'valid');
    const [samples, height, width, channels] = kept.shape;
    return tf.concat([kept, tf.zeros([samples, height, width, this.filters - channels])], 3);
  }
  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [samples = null, height, width] = inputShape as tf.Shape;
    const halved = (size: number | null | undefined) => Math.ceil((size ?? 0) / this.stride);
    return [samples, halved(height), halved(width), this.filters];
  }
}
tf.serialization.registerClass(StockShortcut);

const stockNames: Record<string, string> = {
  FusedBatchNormalization: 'BatchNormalization',
  SubsampleShortcut: 'StockShortcut',
};

/** The same model of stock layers, with the same weights. */
async function stockTwin({ model }: TrainableModel): Promise<tf.LayersModel> {
  const config = model.toJSON(null, false) as {
    config: { layers: { class_name: string }[] };
  };
  for (const layer of config.config.layers) {
    layer.class_name = stockNames[layer.class_name] ?? layer.class_name;
  }
  const twin = await tf.models.modelFromJSON(config);
  twin.setWeights(model.getWeights());
  return twin;
}

type Gradients = Map<string, Float32Array>;

/** Gradient at every parameter, by the parameter's name without what makes it unique. */
function gradients(
  weights: readonly { name: string; variable: tf.Variable }[],
  loss: () => tf.Scalar,
): { loss: number; gradients: Gradients } {
  const { value, grads } = tf.variableGrads(
    loss,
    weights.map(({ variable }) => variable),
  );
  const named = weights.map(({ name, variable }) => {
    const gradient = grads[variable.name]?.dataSync<'float32'>() ?? [];
    return [name, Float32Array.from(gradient)] as const;
  });
  const result = { loss: value.arraySync(), gradients: new Map(named) };
  tf.dispose([value, grads]);
  return result;
}

function plainLoss(logits: tf.Tensor2D, labels: number[]): tf.Scalar {
  const off = LABEL_SMOOTHING / NUM_CLASSES;
  const targets = labels.map((label) =>
    Array.from({ length: NUM_CLASSES }, (_, c) => off + (c === label ? 1 - LABEL_SMOOTHING : 0)),
  );
  return tf.logSoftmax(logits, 1).mul(targets).sum(1).neg().mean();
}

const cases: [string, ModelSpec, InputShape][] = [
  [
    'CIFAR form',
    { family: 'resnet-cifar', depth: 14, shortcuts: true },
    { height: 14, width: 14, channels: 1 },
  ],
  [
    'plain CIFAR form',
    { family: 'resnet-cifar', depth: 8, shortcuts: false },
    { height: 12, width: 12, channels: 3 },
  ],
  [
    'ImageNet form',
    { family: 'resnet', depth: 18, stem: 'imagenet', shortcuts: true },
    { height: 64, width: 64, channels: 3 },
  ],
];
const batch = cases.map(([name, spec, input]) => {
  const { height, width, channels } = input;
  const model = () => buildModel(spec, input, NUM_CLASSES, 17);
  const images = () =>
    tf.tensor4d(normals(8 * height * width * channels, 31), [8, height, width, channels]);
  const labels = [0, 1, 2, 3, 4, 0, 1, 2];
  return { name, model, images, labels };
});

let stock: { loss: number; gradients: Gradients }[];

beforeAll(async () => {
  await import('@tensorflow/tfjs-node-gpu');
  // Stock gradients come first: registering the fused kernels replaces some of them for good.
  stock = [];
  for (const { model, images, labels } of batch) {
    const twin = await stockTwin(model());
    const weights = twin.trainableWeights.map((weight) => ({
      name: weight.originalName,
      variable: weight.read() as tf.Variable,
    }));
    const logits = () => twin.apply(images(), { training: true }) as tf.Tensor2D;
    stock.push(gradients(weights, () => plainLoss(logits(), labels)));
  }
  registerFusedKernels();
});

describe('a whole model on fused kernels has the loss and gradients of stock layers', () => {
  it.each(batch.map((item, index) => ({ ...item, index })))('$name', (item) => {
    const model = item.model();
    const fused = gradients(model.parameters, () => {
      const { logits } = model.forwardTraining(item.images());
      const labels = tf.tensor1d(item.labels, 'int32');
      return softmaxCrossEntropy(logits, labels, LABEL_SMOOTHING).mean();
    });
    const expected = stock[item.index]!;
    expect(fused.loss).toBeCloseTo(expected.loss, 5);
    expect([...fused.gradients.keys()].sort()).toEqual([...expected.gradients.keys()].sort());
    for (const [name, gradient] of fused.gradients) {
      const error = relativeError(gradient, expected.gradients.get(name)!);
      expect(error, name).toBeLessThan(1e-4);
    }
  });
});
