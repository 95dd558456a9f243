import { z } from 'zod';
import { nameSchema } from './job-spec.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');

/** One file of consecutive records of one split. */
export const shardSchema = z.strictObject({
  file: z.string().regex(/^(train|test)-\d{5}\.bin$/),
  firstSample: z.int().min(0),
  samples: z.int().min(1),
  bytes: z.int().min(1),
  sha256,
});
export type Shard = z.output<typeof shardSchema>;

const splitSchema = z.strictObject({
  samples: z.int().min(1),
  shards: z.array(shardSchema).min(1),
});

/**
 * A prepared data set. A record is `label` (uint16, little endian) followed by height * width *
 * channels bytes of pixels in row-major HWC order; all records have the same size.
 */
export const dataSetManifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  name: nameSchema,
  height: z.int().min(1).max(4096),
  width: z.int().min(1).max(4096),
  channels: z.union([z.literal(1), z.literal(3)]),
  classes: z.array(z.string().min(1).max(200)).min(2).max(65_535),
  /** Per channel over the training split, of pixels scaled to [0, 1]. */
  mean: z.array(z.number()),
  standardDeviation: z.array(z.number().gt(0)),
  splits: z.strictObject({ train: splitSchema, test: splitSchema }),
});
export type DataSetManifest = z.output<typeof dataSetManifestSchema>;
export type SplitName = keyof DataSetManifest['splits'];

/** What a user registers. `path` is on the coordinator's machine, inside its configured data roots. */
export const dataSetRegistrationSchema = z.discriminatedUnion('format', [
  z.strictObject({ name: nameSchema, format: z.literal('idx'), path: z.string().min(1).max(4096) }),
  z.strictObject({
    name: nameSchema,
    format: z.literal('cifar10'),
    path: z.string().min(1).max(4096),
  }),
  z.strictObject({
    name: nameSchema,
    format: z.literal('cifar100'),
    path: z.string().min(1).max(4096),
  }),
  z.strictObject({
    name: nameSchema,
    format: z.literal('images'),
    path: z.string().min(1).max(4096),
  }),
  z.strictObject({
    name: nameSchema,
    format: z.literal('glyphs'),
    seed: z.int().min(0).max(2_147_483_647).default(1),
    trainSamples: z.int().min(10).max(1_000_000).default(8_000),
    testSamples: z.int().min(10).max(200_000).default(2_000),
  }),
]);
export type DataSetRegistration = z.output<typeof dataSetRegistrationSchema>;
/** A registration as a user writes it. */
export type DataSetRegistrationInput = z.input<typeof dataSetRegistrationSchema>;

/** How many samples of each class a data set has, in the order of its classes. */
export const classCountsSchema = z.strictObject({
  train: z.array(z.int().min(0)),
  test: z.array(z.int().min(0)),
});
export type ClassCounts = z.output<typeof classCountsSchema>;

/** Some of a split's samples. */
export const sampleListSchema = z.strictObject({
  items: z.array(z.strictObject({ sample: z.int().min(0), label: z.int().min(0) })),
  /** Samples that there are of the class asked for, or in the split. */
  total: z.int().min(0),
});
export type SampleList = z.output<typeof sampleListSchema>;
