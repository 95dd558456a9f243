import type { ModelSpec } from '@skipring/protocol';
import * as tf from '@tensorflow/tfjs';
import {
  activated,
  classifier,
  convolution,
  dropped,
  stem,
  stemPooling,
  through,
  type Symbolic,
} from './parts.js';

type CifarSpec = Extract<ModelSpec, { family: 'densenet-cifar' }>;
type ImageNetSpec = Extract<ModelSpec, { family: 'densenet' }>;

/** Filters of a layer's 1x1 convolution, in multiples of the growth rate. */
const BOTTLENECK_WIDTH = 4;

interface DenseBlocks {
  readonly numLayers: readonly number[];
  readonly growthRate: number;
  /** 1x1 convolutions before the 3x3 ones, and transitions that halve the channels. */
  readonly bottleneck: boolean;
  /** Rate after each convolution but the first of the network (section 4.1). */
  readonly dropout?: number | undefined;
}

/** Adds `growthRate` channels to its input: batch norm, relu, convolution (Huang et al. 2017, 3). */
function denseLayer(x: Symbolic, name: string, blocks: DenseBlocks): Symbolic {
  const { growthRate, bottleneck, dropout } = blocks;
  let y = activated(x, name, 1);
  if (bottleneck) {
    const filters = BOTTLENECK_WIDTH * growthRate;
    y = convolution(y, `${name}/conv1`, { filters, kernelSize: 1, stride: 1 });
    y = dropped(y, `${name}/dropout1`, dropout);
    y = activated(y, name, 2);
  }
  const place = bottleneck ? 2 : 1;
  const shape = { filters: growthRate, kernelSize: 3, stride: 1 };
  y = convolution(y, `${name}/conv${place}`, shape);
  y = dropped(y, `${name}/dropout${place}`, dropout);
  return through(tf.layers.concatenate({ axis: 3, name: `${name}/concat` }), [x, y]);
}

/** 1x1 convolution and 2x2 average pooling, which leaves out the last row of an odd number. */
function transition(x: Symbolic, name: string, { bottleneck, dropout }: DenseBlocks): Symbolic {
  const channels = x.shape[3] ?? 0;
  const filters = bottleneck ? Math.floor(channels / 2) : channels;
  const shape = { filters, kernelSize: 1, stride: 1 };
  const y = dropped(
    convolution(activated(x, name), `${name}/conv`, shape),
    `${name}/dropout`,
    dropout,
  );
  const pool = tf.layers.averagePooling2d({
    poolSize: 2,
    strides: 2,
    padding: 'valid',
    name: `${name}/pool`,
  });
  return through(pool, y);
}

/** Dense blocks with a transition between each two, and the last activation. */
function denseBlocks(x: Symbolic, blocks: DenseBlocks): Symbolic {
  let y = x;
  blocks.numLayers.forEach((numLayers, block) => {
    if (block > 0) y = transition(y, `transition${block}`, blocks);
    for (let layer = 0; layer < numLayers; layer++) {
      y = denseLayer(y, `dense${block + 1}/layer${layer}`, blocks);
    }
  });
  return activated(y, 'final');
}

/** Three dense blocks after one 3x3 convolution of 16 filters, or with bottlenecks 2 growth rates. */
export function cifarDenseNet(x: Symbolic, spec: CifarSpec, numClasses: number): Symbolic {
  const { depth, growthRate, bottleneck, dropout } = spec;
  const layersPerBlock = (depth - 4) / (bottleneck ? 6 : 3);
  const filters = bottleneck ? 2 * growthRate : 16;
  const first = convolution(x, 'stem/conv', { filters, kernelSize: 3, stride: 1 });
  const numLayers = [layersPerBlock, layersPerBlock, layersPerBlock];
  return classifier(denseBlocks(first, { numLayers, growthRate, bottleneck, dropout }), numClasses);
}

const imageNetForms = {
  121: { numLayers: [6, 12, 24, 16], growthRate: 32, stemFilters: 64 },
  161: { numLayers: [6, 12, 36, 24], growthRate: 48, stemFilters: 96 },
  169: { numLayers: [6, 12, 32, 32], growthRate: 32, stemFilters: 64 },
  201: { numLayers: [6, 12, 48, 32], growthRate: 32, stemFilters: 64 },
} as const;

/** Table 1: four dense blocks with bottlenecks, after a 7x7 stem with pooling. */
export function imageNetDenseNet(x: Symbolic, spec: ImageNetSpec, numClasses: number): Symbolic {
  const { stemFilters, ...form } = imageNetForms[spec.depth];
  const stemmed = stemPooling(stem(x, stemFilters, 7, 2));
  return classifier(denseBlocks(stemmed, { ...form, bottleneck: true }), numClasses);
}
