import type { TrainableModel } from '@skipring/nn';
import * as tf from '@tensorflow/tfjs';

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
    return tf.tidy(() => {
      const kept = tf.maxPool(x, 1, this.stride, 'valid');
      const numZeros = this.filters - kept.shape[3];
      return tf.pad(kept, [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, numZeros],
      ]);
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [samples = null, height, width] = inputShape as tf.Shape;
    const kept = (size: number | null | undefined) => Math.ceil((size ?? 0) / this.stride);
    return [samples, kept(height), kept(width), this.filters];
  }
}
tf.serialization.registerClass(StockShortcut);

const stockNames: Readonly<Record<string, string>> = {
  FusedBatchNormalization: 'BatchNormalization',
  SubsampleShortcut: 'StockShortcut',
};

/** The same model made of TensorFlow.js's own layers, with the same weights and names. */
export async function stockTwin({ model }: TrainableModel): Promise<tf.LayersModel> {
  const topology = model.toJSON(null, false) as {
    config: { layers: { class_name: string }[] };
  };
  for (const layer of topology.config.layers) {
    layer.class_name = stockNames[layer.class_name] ?? layer.class_name;
  }
  const twin = await tf.models.modelFromJSON(topology);
  twin.setWeights(model.getWeights());
  return twin;
}
