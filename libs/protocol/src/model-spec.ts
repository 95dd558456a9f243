import { z } from 'zod';
import { topologySchema } from './topology/topology.js';

/**
 * CIFAR-form networks: depth 6n + 2 of basic blocks (He et al. 2015, section 4.2), and the two
 * depths 9n + 2 of bottleneck blocks of He et al. 2016b.
 */
const cifarDepths = z.union([
  z.literal(8),
  z.literal(14),
  z.literal(20),
  z.literal(32),
  z.literal(44),
  z.literal(56),
  z.literal(110),
  z.literal(164),
  z.literal(1001),
  z.literal(1202),
]);

/** ImageNet-form networks of He et al. 2015, table 1. */
const imageNetDepths = z.union([
  z.literal(18),
  z.literal(34),
  z.literal(50),
  z.literal(101),
  z.literal(152),
]);

const shortcuts = z
  .boolean()
  .default(true)
  .describe('false builds the plain twin without shortcuts');

const dropout = z
  .number()
  .gt(0)
  .lt(1)
  .optional()
  .describe('share of values that are set to zero in training; absent: none');

/** Fields of a residual network that older specs do not have: absent means as they were. */
const variants = {
  preActivation: z
    .boolean()
    .optional()
    .describe('true: batch norm and relu before each convolution (He et al. 2016b)'),
  zeroInitGamma: z
    .boolean()
    .optional()
    .describe('true: the last batch norm of each block starts with scale 0 (Goyal et al. 2017)'),
};

/** A pre-activation block ends in a convolution: it has no last batch norm to start at zero. */
function isConsistent(spec: {
  preActivation?: boolean | undefined;
  zeroInitGamma?: boolean | undefined;
}): boolean {
  return !(spec.preActivation === true && spec.zeroInitGamma === true);
}
const consistency = {
  path: ['zeroInitGamma'],
  message: 'expected no zeroInitGamma with preActivation: its blocks end without batch norm',
};

const cifarResNet = z
  .strictObject({
    family: z.literal('resnet-cifar').describe('ResNet for small images (He et al. 2015, 4.2)'),
    depth: cifarDepths.describe(
      'layers with weights: 8, 14, 20, 32, 44, 56, 110 or 1202 of basic blocks, ' +
        '164 or 1001 of bottleneck blocks',
    ),
    shortcuts,
    ...variants,
  })
  .refine(isConsistent, consistency);

const imageNetResNet = z
  .strictObject({
    family: z.literal('resnet').describe('ResNet for large images (He et al. 2015, table 1)'),
    depth: imageNetDepths.describe('layers with weights: 18, 34, 50, 101 or 152'),
    stem: z
      .enum(['imagenet', 'small'])
      .default('imagenet')
      .describe('small: 3x3 stride 1, no pooling'),
    shortcuts,
    ...variants,
  })
  .refine(isConsistent, consistency);

const wideResNet = z.strictObject({
  family: z
    .literal('wide-resnet')
    .describe('Wide ResNet for small images (Zagoruyko and Komodakis 2016)'),
  depth: z
    .int()
    .min(10)
    .max(100)
    .refine((depth) => depth % 6 === 4, 'expected 6n + 4, such as 16, 28 or 40')
    .describe('6n + 4 layers with weights, such as 16, 28 or 40'),
  width: z.int().min(1).max(16).describe('multiple of the 16, 32 and 64 filters, such as 4 or 10'),
  dropout,
});

const cifarDenseNet = z
  .strictObject({
    family: z.literal('densenet-cifar').describe('DenseNet for small images (Huang et al. 2017)'),
    depth: z.int().min(7).max(250).describe('3n + 4 layers with weights; 6n + 4 with bottleneck'),
    growthRate: z.int().min(1).max(64).default(12).describe('channels that a layer adds'),
    bottleneck: z
      .boolean()
      .default(false)
      .describe('true: DenseNet-BC, with 1x1 bottlenecks and transitions that halve the channels'),
    dropout,
  })
  .refine(({ depth, bottleneck }) => (depth - 4) % (bottleneck ? 6 : 3) === 0, {
    path: ['depth'],
    message: 'expected 3n + 4, such as 40, or with bottleneck 6n + 4, such as 100',
  });

const imageNetDenseNet = z.strictObject({
  family: z.literal('densenet').describe('DenseNet for large images (Huang et al. 2017, table 1)'),
  depth: z
    .union([z.literal(121), z.literal(161), z.literal(169), z.literal(201)])
    .describe('layers with weights: 121, 161, 169 or 201'),
});

const layersModel = z.strictObject({
  family: z.literal('layers').describe('a tf.layers model of your own'),
  topology: topologySchema.describe('what model.toJSON() of TensorFlow.js writes, as an object'),
});

/** What is trained. */
export const modelSpecSchema = z.discriminatedUnion('family', [
  cifarResNet,
  imageNetResNet,
  wideResNet,
  cifarDenseNet,
  imageNetDenseNet,
  layersModel,
]);

export type ModelSpec = z.output<typeof modelSpecSchema>;
