import * as tf from '@tensorflow/tfjs';
import { SubsampleShortcut } from '../layers/subsample-shortcut.js';
import {
  activated,
  convolution,
  dropped,
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
  /** Whether it follows the stem, whose output is activated. */
  readonly isFirst: boolean;
}

/** How a block's input reaches its output; null in a plain network. */
export type Shortcut = ((x: Symbolic, block: BlockShape, channels: number) => Symbolic) | null;

export type Block = (x: Symbolic, block: BlockShape, shortcut: Shortcut) => Symbolic;

/** The convolutions of a block, in order. */
export type Form = (block: BlockShape) => readonly ConvolutionShape[];

/** Output channels of a bottleneck block, in multiples of its filters. */
const BOTTLENECK_EXPANSION = 4;

/** Two 3x3 convolutions (He et al. 2015, figure 5 left). */
export const basicForm: Form = ({ filters, stride }) => [
  { filters, kernelSize: 3, stride },
  { filters, kernelSize: 3, stride: 1 },
];

/**
 * 1x1, 3x3, 1x1 (figure 5 right), with the stride in the 3x3 convolution: "v1.5", as torchvision
 * and NVIDIA have it, where the paper strides the first 1x1.
 */
export const bottleneckForm: Form = ({ filters, stride }) => [
  { filters, kernelSize: 1, stride: 1 },
  { filters, kernelSize: 3, stride },
  { filters: filters * BOTTLENECK_EXPANSION, kernelSize: 1, stride: 1 },
];

/**
 * Convolutions each followed by batch norm, with relu between; the block's last relu follows the
 * sum (He et al. 2015, figure 2).
 */
export function postActivation(form: Form, zeroInitGamma: boolean): Block {
  return (x, block, shortcut) => {
    const convolutions = form(block);
    let y = x;
    let channels = 0;
    convolutions.forEach((shape, index) => {
      const place = index + 1;
      const isLast = place === convolutions.length;
      y = convolution(y, `${block.name}/conv${place}`, shape);
      y = normalization(y, `${block.name}/norm${place}`, isLast && zeroInitGamma);
      if (!isLast) y = relu(y, `${block.name}/relu${place}`);
      channels = shape.filters;
    });
    if (shortcut !== null) y = sum(block, y, shortcut(x, block, channels));
    return relu(y, `${block.name}/relu${convolutions.length}`);
  };
}

/**
 * Batch norm and relu before each convolution, and nothing after the sum (He et al. 2016b, figure
 * 1b). Where the shape changes, the shortcut too begins at the activated input, as in the paper's
 * published code; the first block's input is activated by the stem. With a dropout rate, values are
 * dropped before each convolution but the first (Zagoruyko and Komodakis 2016, section 3).
 */
export function preActivation(form: Form, dropout?: number): Block {
  return (x, block, shortcut) => {
    const convolutions = form(block);
    const channels = convolutions.at(-1)?.filters ?? 0;
    const input = block.isFirst ? x : activated(x, block.name, 1);
    let y = input;
    convolutions.forEach((shape, index) => {
      const place = index + 1;
      if (index > 0) {
        y = activated(y, block.name, place);
        y = dropped(y, `${block.name}/dropout${place}`, dropout);
      }
      y = convolution(y, `${block.name}/conv${place}`, shape);
    });
    if (shortcut === null) return y;
    const from = keepsShape(x, block, channels) ? x : input;
    return sum(block, y, shortcut(from, block, channels));
  };
}

function sum({ name }: BlockShape, residual: Symbolic, identity: Symbolic): Symbolic {
  return through(tf.layers.add({ name: `${name}/sum` }), [residual, identity]);
}

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
  return normalization(project(x, block, filters), `${block.name}/projection/norm`);
};

/** Option B of pre-activation networks, whose 1x1 convolution has no batch norm. */
export const bareProjectionShortcut: Shortcut = (x, block, filters) =>
  keepsShape(x, block, filters) ? x : project(x, block, filters);

function project(x: Symbolic, { name, stride }: BlockShape, filters: number): Symbolic {
  return convolution(x, `${name}/projection/conv`, { filters, kernelSize: 1, stride });
}
