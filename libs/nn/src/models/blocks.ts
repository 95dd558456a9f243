import * as tf from '@tensorflow/tfjs';
import { SubsampleShortcut } from '../layers/subsample-shortcut.js';
import {
  convolution,
  normalization,
  relu,
  through,
  type ConvolutionShape,
  type Symbolic,
} from './parts.js';

/** A block's place in its network. */
export interface BlockShape {
  /** Prefix of the names of its layers. */
  readonly name: string;
  /** Filters of its 3x3 convolutions. */
  readonly filters: number;
  readonly stride: number;
}

/** How a block's input reaches its output; null in a plain network. */
export type Shortcut = ((x: Symbolic, block: BlockShape, channels: number) => Symbolic) | null;

export type Block = (x: Symbolic, block: BlockShape, shortcut: Shortcut) => Symbolic;

/** Output channels of a bottleneck block, in multiples of its filters. */
const BOTTLENECK_EXPANSION = 4;

/** Convolutions each followed by batch norm, with relu between; the block's last relu follows the sum. */
function residual(
  x: Symbolic,
  block: BlockShape,
  shortcut: Shortcut,
  convolutions: readonly ConvolutionShape[],
): Symbolic {
  let y = x;
  let channels = 0;
  convolutions.forEach((shape, index) => {
    const place = index + 1;
    y = convolution(y, `${block.name}/conv${place}`, shape);
    y = normalization(y, `${block.name}/norm${place}`);
    if (place < convolutions.length) y = relu(y, `${block.name}/relu${place}`);
    channels = shape.filters;
  });
  if (shortcut !== null) {
    const sum = tf.layers.add({ name: `${block.name}/sum` });
    y = through(sum, [y, shortcut(x, block, channels)]);
  }
  return relu(y, `${block.name}/relu${convolutions.length}`);
}

/** Two 3x3 convolutions (He et al. 2015, figure 5 left). */
export const basicBlock: Block = (x, block, shortcut) => {
  const { filters, stride } = block;
  return residual(x, block, shortcut, [
    { filters, kernelSize: 3, stride },
    { filters, kernelSize: 3, stride: 1 },
  ]);
};

/**
 * 1x1, 3x3, 1x1 (figure 5 right), with the stride in the 3x3 convolution: "v1.5", as torchvision
 * and NVIDIA have it, where the paper strides the first 1x1.
 */
export const bottleneckBlock: Block = (x, block, shortcut) => {
  const { filters, stride } = block;
  return residual(x, block, shortcut, [
    { filters, kernelSize: 1, stride: 1 },
    { filters, kernelSize: 3, stride },
    { filters: filters * BOTTLENECK_EXPANSION, kernelSize: 1, stride: 1 },
  ]);
};

function keepsShape(x: Symbolic, { stride }: BlockShape, channels: number): boolean {
  return stride === 1 && x.shape[3] === channels;
}

/** Option A: identity, subsampled and padded with zero channels where the shape changes. */
export const subsampleShortcut: Shortcut = (x, block, filters) => {
  if (keepsShape(x, block, filters)) return x;
  const { name, stride } = block;
  return through(new SubsampleShortcut({ name: `${name}/shortcut`, stride, filters }), x);
};

/** Option B: identity, or a 1x1 convolution with batch norm where the shape changes. */
export const projectionShortcut: Shortcut = (x, block, filters) => {
  if (keepsShape(x, block, filters)) return x;
  const { name, stride } = block;
  const projected = convolution(x, `${name}/projection/conv`, { filters, kernelSize: 1, stride });
  return normalization(projected, `${name}/projection/norm`);
};
