import { z } from 'zod';
import { initialWeightsSchema } from './initial-weights.js';
import { modelSpecSchema } from './model-spec.js';
import { numLaneGroups, periodSpec, syncSchema } from './sync-spec.js';
import { stragglerPolicies } from './stragglers.js';
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

const beta = z.number().min(0).lt(1);
const adamFields = {
  beta1: beta.default(0.9).describe('share of the first moment that a step keeps'),
  beta2: beta.default(0.999).describe('share of the second moment that a step keeps'),
  epsilon: z.number().gt(0).max(1).default(1e-8),
};

const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd').describe('stochastic gradient descent with momentum and nesterov'),
  }),
  z.strictObject({
    kind: z.literal('lars').describe('sgd with a rate for each layer (You et al. 2017)'),
    trustCoefficient: z.number().gt(0).max(1).default(0.001),
    epsilon: z.number().min(0).max(1).default(1e-9),
  }),
  z.strictObject({
    kind: z.literal('adam').describe('Adam (Kingma and Ba 2015), weightDecay in the gradient'),
    ...adamFields,
  }),
  z.strictObject({
    kind: z.literal('adamw').describe('Adam, weightDecay apart (Loshchilov and Hutter 2019)'),
    ...adamFields,
  }),
  z.strictObject({
    kind: z.literal('rmsprop').describe('RMSProp (Tieleman and Hinton 2012)'),
    decay: beta.default(0.9).describe('share of the mean square that a step keeps'),
    momentum: beta.default(0),
    epsilon: z.number().gt(0).max(1).default(1e-7),
  }),
]);

/** Optimizers that `training.momentum` and `training.nesterov` are about. */
const withMomentum: readonly string[] = ['sgd', 'lars'];
const DEFAULT_MOMENTUM = 0.9;
const DEFAULT_NESTEROV = true;

const trainingSchema = z
  .strictObject({
    epochs: positiveInt.max(10_000).optional().describe('passes over the data; or give steps'),
    steps: positiveInt.max(maxInt32).optional().describe('optimizer updates; or give epochs'),
    learningRate: z.number().gt(0).max(100).default(0.1),
    schedule: scheduleSchema.prefault({ kind: 'cosine' }),
    warmupSteps: z.int().min(0).max(maxInt32).default(0),
    optimizer: optimizerSchema.prefault({ kind: 'sgd' }),
    momentum: beta.default(DEFAULT_MOMENTUM).describe('of the optimizers sgd and lars'),
    nesterov: z.boolean().default(DEFAULT_NESTEROV).describe('of the optimizers sgd and lars'),
    weightDecay: z
      .number()
      .min(0)
      .max(1)
      .default(1e-4)
      .describe('not applied to batch norm or biases'),
    gradientClipNorm: z
      .number()
      .gt(0)
      .max(1e6)
      .optional()
      .describe('largest norm of the reduced gradient over all parameters; absent: no limit'),
    weightAverage: z
      .strictObject({
        decay: z.number().gt(0).lt(1).default(0.999).describe('what the average keeps at a step'),
      })
      .optional()
      .describe('evaluate, store and export a moving average of the weights; absent: none'),
    labelSmoothing: z.number().min(0).lt(1).default(0),
    nonFiniteLimit: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(10)
      .describe(
        'steps with a NaN or an infinity that change nothing, before the job fails; 0: the first ' +
          'fails it. With compression, or a sync mode other than allReduce, always 0',
      ),
  })
  .refine((t) => (t.epochs === undefined) !== (t.steps === undefined), {
    path: ['epochs'],
    message: 'expected exactly one of epochs and steps',
  })
  .refine((t) => withMomentum.includes(t.optimizer.kind) || t.momentum === DEFAULT_MOMENTUM, {
    path: ['momentum'],
    message: 'expected none: this optimizer does not use training.momentum',
  })
  .refine((t) => withMomentum.includes(t.optimizer.kind) || t.nesterov === DEFAULT_NESTEROV, {
    path: ['nesterov'],
    message: 'expected none: this optimizer does not use training.nesterov',
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
    tf32: z
      .boolean()
      .default(true)
      .describe('whether GPUs may multiply float32 values as TF32; nothing to a CPU'),
    stragglers: z
      .enum(stragglerPolicies)
      .default('report')
      .describe(
        'what follows when a worker is slow: it is named; or lanes are shared by pace as well; or a ' +
          'spare worker takes its place as well. Changes no bit of the result',
      ),
  })
  .refine((w) => w.min <= w.max, { path: ['min'], message: 'expected min to be at most max' });

const checkpointsSchema = z.strictObject({
  everySteps: positiveInt.max(maxInt32).default(100),
  keep: positiveInt.max(100).default(3).describe('newest checkpoints kept'),
  keepBest: z.boolean().default(true).describe('the one of the best evaluation is kept as well'),
  keepEveryEpochs: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe('one is stored at the end of each so many epochs and kept as well; 0: none'),
});

const evaluationSchema = z.strictObject({
  everyEpochs: z.int().min(0).max(10_000).default(1).describe('0: only at the end'),
});

const statisticsSchema = z.strictObject({
  everySteps: positiveInt
    .max(maxInt32)
    .describe('gradient, weight and activation statistics of each layer at step 1 and each n-th'),
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
    initialWeights: initialWeightsSchema.optional().describe('absent: the seed decides'),
    data: dataSchema,
    training: trainingSchema,
    lanes: lanesSchema.prefault({}),
    workers: workersSchema.prefault({}),
    checkpoints: checkpointsSchema.prefault({}),
    evaluation: evaluationSchema.prefault({}),
    statistics: statisticsSchema.optional().describe('absent: none; changes no bit of the result'),
    reduction: z
      .enum(['exact', 'float32', 'bfloat16'])
      .default('exact')
      .describe('of gradients over the ring: fixed point, float32, or float32 sent as bfloat16'),
    sync: syncSchema.prefault({ mode: 'allReduce' }),
    precision: z
      .enum(['float32', 'bfloat16'])
      .default('float32')
      .describe('of convolutions and what lies between them; parameters and sums are float32'),
    priority: z.int().min(0).max(100).default(50).describe('higher runs first'),
    delayMs: z.int().min(0).max(604_800_000).default(0),
    retries: retriesSchema.prefault({}),
    seed: z.int().min(0).max(maxInt32).default(1),
  })
  .refine(({ lanes, sync }) => sync.mode === 'allReduce' || lanes.count % sync.replicas === 0, {
    path: ['sync', 'replicas'],
    message: 'expected a divisor of lanes.count: replicas have equally many lanes',
  })
  .refine((spec) => spec.workers.min <= spec.lanes.count, {
    path: ['workers', 'min'],
    message: 'expected at most lanes.count workers: a worker owns at least one lane',
  })
  .refine(({ statistics, sync }) => statistics === undefined || periodSpec(sync) === null, {
    path: ['statistics'],
    message:
      'expected none: replicas of this sync.mode have no gradient in common, or it is compressed',
  })
  .refine(
    ({ reduction, sync }) =>
      reduction === 'exact' || sync.mode !== 'allReduce' || sync.compression === undefined,
    {
      path: ['reduction'],
      message: 'expected exact: sync.compression adds up in fixed point',
    },
  )
  .refine(
    ({ lanes, sync }) =>
      sync.mode !== 'allReduce' ||
      sync.compression?.kind !== 'topK' ||
      2 * sync.compression.fraction * lanes.count < 1,
    {
      path: ['sync', 'compression', 'fraction'],
      message: 'expected less than 1 / (2 lanes.count): each lane sends its own values and places',
    },
  )
  .refine((spec) => spec.workers.min <= numLaneGroups(spec) || spec.sync.mode === 'allReduce', {
    path: ['workers', 'min'],
    message: 'expected at most sync.replicas workers: a worker owns at least one replica',
  })
  .refine(({ training, sync }) => !training.weightAverage || sync.mode === 'allReduce', {
    path: ['training', 'weightAverage'],
    message: 'expected none with this sync mode: its replicas are averaged already',
  })
  .refine(
    ({ training, sync }) =>
      sync.mode === 'allReduce' ||
      sync.optimizerState !== 'reset' ||
      ['sgd', 'lars'].includes(training.optimizer.kind),
    {
      path: ['sync', 'optimizerState'],
      message:
        'expected average or keep: this optimizer divides by a mean that would begin at zero',
    },
  );

/** A spec with every default filled in. */
export type JobSpec = z.output<typeof jobSpecSchema>;
/** A spec as a user writes it. */
export type JobSpecInput = z.input<typeof jobSpecSchema>;
