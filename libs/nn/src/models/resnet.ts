import * as tf from '@tensorflow/tfjs';
import type { ModelSpec } from '@skipring/protocol';
import {
  basicBlock,
  bottleneckBlock,
  projectionShortcut,
  subsampleShortcut,
  type Block,
  type Shortcut,
} from './blocks.js';
import { classifier, convolution, normalization, relu, through, type Symbolic } from './parts.js';

type CifarSpec = Extract<ModelSpec, { family: 'resnet-cifar' }>;
type ImageNetSpec = Extract<ModelSpec, { family: 'resnet' }>;

interface Stages {
  readonly block: Block;
  readonly shortcut: Shortcut;
  readonly filters: readonly number[];
  readonly numBlocks: readonly number[];
}

/** Stages of blocks; each stage but the first halves height and width. */
function stages(x: Symbolic, { block, shortcut, filters, numBlocks }: Stages): Symbolic {
  let y = x;
  filters.forEach((stageFilters, stage) => {
    for (let index = 0; index < (numBlocks[stage] ?? 0); index++) {
      const name = `stage${stage + 1}/block${index}`;
      const stride = stage > 0 && index === 0 ? 2 : 1;
      y = block(y, { name, filters: stageFilters, stride }, shortcut);
    }
  });
  return y;
}

function stem(x: Symbolic, filters: number, kernelSize: number, stride: number): Symbolic {
  const convolved = convolution(x, 'stem/conv', { filters, kernelSize, stride });
  return relu(normalization(convolved, 'stem/norm'), 'stem/relu');
}

/** Depth 6n + 2: a 3x3 stem and three stages of n blocks with 16, 32 and 64 filters (section 4.2). */
export function cifarResNet(x: Symbolic, spec: CifarSpec, numClasses: number): Symbolic {
  const blocksPerStage = (spec.depth - 2) / 6;
  const features = stages(stem(x, 16, 3, 1), {
    block: basicBlock,
    shortcut: spec.shortcuts ? subsampleShortcut : null,
    filters: [16, 32, 64],
    numBlocks: [blocksPerStage, blocksPerStage, blocksPerStage],
  });
  return classifier(features, numClasses);
}

const imageNetForms = {
  18: { block: basicBlock, numBlocks: [2, 2, 2, 2] },
  34: { block: basicBlock, numBlocks: [3, 4, 6, 3] },
  50: { block: bottleneckBlock, numBlocks: [3, 4, 6, 3] },
} as const;

/**
 * 3x3 pooling with stride 2, padded by one on every side. Zeros stand for "nothing" here, because
 * the input comes from relu.
 */
function stemPooling(x: Symbolic): Symbolic {
  const pad = tf.layers.zeroPadding2d({ padding: [1, 1], name: 'stem/pool/pad' });
  const pool = tf.layers.maxPooling2d({
    poolSize: 3,
    strides: 2,
    padding: 'valid',
    name: 'stem/pool',
  });
  return through(pool, through(pad, x));
}

/** Table 1: four stages with 64 to 512 filters, after a 7x7 stem with pooling or a small one. */
export function imageNetResNet(x: Symbolic, spec: ImageNetSpec, numClasses: number): Symbolic {
  const small = spec.stem === 'small';
  const stemmed = small ? stem(x, 64, 3, 1) : stemPooling(stem(x, 64, 7, 2));
  const features = stages(stemmed, {
    ...imageNetForms[spec.depth],
    shortcut: spec.shortcuts ? projectionShortcut : null,
    filters: [64, 128, 256, 512],
  });
  return classifier(features, numClasses);
}
