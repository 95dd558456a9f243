import { z } from 'zod';
import { modelSpecSchema } from './model-spec.js';
import { API_VERSION } from './version.js';

const maxInt32 = 2_147_483_647;
const positiveInt = z.int().min(1);

/** A name for people and URLs: lower case letters, digits and dashes. */
export const nameSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'expected lower case letters, digits and dashes');

const augmentationSchema = z.strictObject({
  cropPadding: z
    .int()
    .min(0)
    .max(16)
    .default(0)
    .describe('pixels of zero padding before a random crop'),
  flip: z.boolean().default(false).describe('mirror half of the samples left to right'),
});

const dataSchema = z.strictObject({
  dataSet: nameSchema.describe('name of a registered data set'),
  augmentation: augmentationSchema.prefault({}),
});

const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({
    kind: z.literal('step'),
    milestones: z.array(z.number().gt(0).lt(1)).min(1).max(16).describe('fractions of all steps'),
    factor: z.number().gt(0).lt(1).default(0.1),
  }),
  z.strictObject({ kind: z.literal('cosine'), finalFraction: z.number().min(0).max(1).default(0) }),
]);

const trainingSchema = z
  .strictObject({
    epochs: positiveInt.max(10_000).optional().describe('passes over the data; or give steps'),
    steps: positiveInt.max(maxInt32).optional().describe('optimizer updates; or give epochs'),
    learningRate: z.number().gt(0).max(100).default(0.1),
    schedule: scheduleSchema.prefault({ kind: 'cosine' }),
    warmupSteps: z.int().min(0).max(maxInt32).default(0),
    momentum: z.number().min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(true),
    weightDecay: z
      .number()
      .min(0)
      .max(1)
      .default(1e-4)
      .describe('not applied to batch norm or biases'),
    labelSmoothing: z.number().min(0).lt(1).default(0),
  })
  .refine((t) => (t.epochs === undefined) !== (t.steps === undefined), {
    path: ['epochs'],
    message: 'expected exactly one of epochs and steps',
  });

const lanesSchema = z.strictObject({
  count: positiveInt.max(1024).default(8).describe('lanes in a global batch'),
  size: positiveInt.max(4096).default(64).describe('samples in a lane'),
});

const workersSchema = z
  .strictObject({
    min: positiveInt.max(1024).default(1),
    max: positiveInt.max(1024).default(8),
    threads: positiveInt.max(256).default(1).describe('intra-op threads of each worker'),
  })
  .refine((w) => w.min <= w.max, { path: ['min'], message: 'expected min to be at most max' });

const checkpointsSchema = z.strictObject({
  everySteps: positiveInt.max(maxInt32).default(100),
  keep: positiveInt.max(100).default(3).describe('newest checkpoints kept, besides the best'),
});

const evaluationSchema = z.strictObject({
  everyEpochs: z.int().min(0).max(10_000).default(1).describe('0: only at the end'),
});

const retriesSchema = z.strictObject({
  limit: z.int().min(0).max(100).default(2).describe('attempts after the first'),
  backoffMs: z.int().min(0).max(3_600_000).default(1_000).describe('doubles with each attempt'),
});

/** A training job: data, never code. Unknown fields are refused. */
export const jobSpecSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    name: nameSchema,
    model: modelSpecSchema,
    data: dataSchema,
    training: trainingSchema,
    lanes: lanesSchema.prefault({}),
    workers: workersSchema.prefault({}),
    checkpoints: checkpointsSchema.prefault({}),
    evaluation: evaluationSchema.prefault({}),
    reduction: z.enum(['exact', 'float32']).default('exact'),
    priority: z.int().min(0).max(100).default(50).describe('higher runs first'),
    delayMs: z.int().min(0).max(604_800_000).default(0),
    retries: retriesSchema.prefault({}),
    seed: z.int().min(0).max(maxInt32).default(1),
  })
  .refine((spec) => spec.workers.min <= spec.lanes.count, {
    path: ['workers', 'min'],
    message: 'expected at most lanes.count workers: a worker owns at least one lane',
  });

/** A spec with every default filled in. */
export type JobSpec = z.output<typeof jobSpecSchema>;
/** A spec as a user writes it. */
export type JobSpecInput = z.input<typeof jobSpecSchema>;
