import * as tf from '@tensorflow/tfjs';

export interface SubsampleShortcutConfig {
  readonly name?: string;
  /** Every `stride`-th row and column is kept, from the first. */
  readonly stride: number;
  /** Channels of the output; those beyond the input's are zero. */
  readonly filters: number;
}

/**
 * The parameter-free shortcut across a change of size: identity on a subsampled grid, with zero
 * channels appended (option A of He et al. 2015, sections 3.3 and 4.2).
 */
export class SubsampleShortcut extends tf.layers.Layer {
  static readonly className = 'SubsampleShortcut';
  readonly stride: number;
  readonly filters: number;

  constructor(config: SubsampleShortcutConfig) {
    super({ ...config });
    this.stride = config.stride;
    this.filters = config.filters;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
      // An average over one pixel: oneDNN's pooling takes a tenth of the time of a strided slice.
      const kept = this.stride === 1 ? x : tf.avgPool(x, 1, this.stride, 'valid');
      const numZeros = this.filters - x.shape[3];
      if (numZeros === 0) return kept;
      return tf.pad(kept, [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, numZeros],
      ]);
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [samples = null, height = null, width = null] = inputShape as tf.Shape;
    const kept = (size: number | null) => (size === null ? null : Math.ceil(size / this.stride));
    return [samples, kept(height), kept(width), this.filters];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), stride: this.stride, filters: this.filters };
  }
}
tf.serialization.registerClass(SubsampleShortcut);
