import type { ModelSpec } from '@skipring/protocol';
import {
  bareProjectionShortcut,
  basicForm,
  bottleneckForm,
  postActivation,
  preActivation,
  projectionShortcut,
  subsampleShortcut,
  type Block,
  type Shortcut,
} from './blocks.js';
import { activated, classifier, stem, stemPooling, type Symbolic } from './parts.js';

type CifarSpec = Extract<ModelSpec, { family: 'resnet-cifar' }>;
type ImageNetSpec = Extract<ModelSpec, { family: 'resnet' }>;
type WideSpec = Extract<ModelSpec, { family: 'wide-resnet' }>;

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
      const isFirst = stage === 0 && index === 0;
      y = block(y, { name, filters: stageFilters, stride, isFirst }, shortcut);
    }
  });
  return y;
}

/** Depths of CIFAR form whose blocks are bottlenecks (He et al. 2016b, table 4). */
const bottleneckDepths: readonly number[] = [164, 1001];

/**
 * A 3x3 stem and three stages of n blocks with 16, 32 and 64 filters (He et al. 2015, section 4.2):
 * depth 6n + 2, with the parameter-free shortcut, or 9n + 2 of bottlenecks, with projections.
 */
export function cifarResNet(x: Symbolic, spec: CifarSpec, numClasses: number): Symbolic {
  const isBottleneck = bottleneckDepths.includes(spec.depth);
  const form = isBottleneck ? bottleneckForm : basicForm;
  const blocksPerStage = (spec.depth - 2) / (isBottleneck ? 9 : 6);
  const before = spec.preActivation === true;
  const projection = before ? bareProjectionShortcut : projectionShortcut;
  const features = stages(stem(x, 16, 3, 1), {
    block: before ? preActivation(form) : postActivation(form, spec.zeroInitGamma === true),
    shortcut: spec.shortcuts ? (isBottleneck ? projection : subsampleShortcut) : null,
    filters: [16, 32, 64],
    numBlocks: [blocksPerStage, blocksPerStage, blocksPerStage],
  });
  return classifier(before ? activated(features, 'final') : features, numClasses);
}

/** Pre-activation blocks of `width` times the filters (Zagoruyko and Komodakis 2016, table 1). */
export function wideResNet(x: Symbolic, spec: WideSpec, numClasses: number): Symbolic {
  const { depth, width, dropout } = spec;
  const blocksPerStage = (depth - 4) / 6;
  const features = stages(stem(x, 16, 3, 1), {
    block: preActivation(basicForm, dropout),
    shortcut: bareProjectionShortcut,
    filters: [16 * width, 32 * width, 64 * width],
    numBlocks: [blocksPerStage, blocksPerStage, blocksPerStage],
  });
  return classifier(activated(features, 'final'), numClasses);
}

const imageNetForms = {
  18: { form: basicForm, numBlocks: [2, 2, 2, 2] },
  34: { form: basicForm, numBlocks: [3, 4, 6, 3] },
  50: { form: bottleneckForm, numBlocks: [3, 4, 6, 3] },
  101: { form: bottleneckForm, numBlocks: [3, 4, 23, 3] },
  152: { form: bottleneckForm, numBlocks: [3, 8, 36, 3] },
} as const;

/** Table 1: four stages with 64 to 512 filters, after a 7x7 stem with pooling or a small one. */
export function imageNetResNet(x: Symbolic, spec: ImageNetSpec, numClasses: number): Symbolic {
  const small = spec.stem === 'small';
  const stemmed = small ? stem(x, 64, 3, 1) : stemPooling(stem(x, 64, 7, 2));
  const { form, numBlocks } = imageNetForms[spec.depth];
  const before = spec.preActivation === true;
  const features = stages(stemmed, {
    block: before ? preActivation(form) : postActivation(form, spec.zeroInitGamma === true),
    shortcut: spec.shortcuts ? (before ? bareProjectionShortcut : projectionShortcut) : null,
    filters: [64, 128, 256, 512],
    numBlocks,
  });
  return classifier(before ? activated(features, 'final') : features, numClasses);
}
