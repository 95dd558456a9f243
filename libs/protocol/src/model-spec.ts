import { z } from 'zod';

/** CIFAR-form networks of He et al. 2015, section 4.2: depth 6n + 2, 3x3 stem, 16/32/64 filters. */
const cifarDepths = z.union([
  z.literal(8),
  z.literal(14),
  z.literal(20),
  z.literal(32),
  z.literal(44),
  z.literal(56),
  z.literal(110),
]);

/** ImageNet-form networks of He et al. 2015, table 1. */
const imageNetDepths = z.union([z.literal(18), z.literal(34), z.literal(50)]);

const cifarResNet = z.strictObject({
  family: z.literal('resnet-cifar').describe('ResNet for small images (He et al. 2015, 4.2)'),
  depth: cifarDepths.describe('layers with weights: 8, 14, 20, 32, 44, 56 or 110'),
  shortcuts: z.boolean().default(true).describe('false builds the plain twin without shortcuts'),
});

const imageNetResNet = z.strictObject({
  family: z.literal('resnet').describe('ResNet for large images (He et al. 2015, table 1)'),
  depth: imageNetDepths.describe('layers with weights: 18, 34 or 50'),
  stem: z
    .enum(['imagenet', 'small'])
    .default('imagenet')
    .describe('small: 3x3 stride 1, no pooling'),
  shortcuts: z.boolean().default(true).describe('false builds the plain twin without shortcuts'),
});

/** What is trained. */
export const modelSpecSchema = z.discriminatedUnion('family', [cifarResNet, imageNetResNet]);

export type ModelSpec = z.output<typeof modelSpecSchema>;
