import { z } from 'zod';

/** Fields that layers share, in the names and values of Keras 2 and TensorFlow.js topologies. */

const initializer = <const C extends readonly string[]>(classes: C) => ({
  class_name: z.enum(classes),
});
const seed = z.int().nullish().describe('not used: weights come from the seed of the job');
const scale = z.number().gt(0).max(1e3);
const bound = z.number().min(-1e3).max(1e3);

/** How a kernel, bias or scale starts. */
export const initializerSchema = z.discriminatedUnion('class_name', [
  z.strictObject({ ...initializer(['Zeros', 'Ones']), config: z.strictObject({}).optional() }),
  z.strictObject({
    ...initializer(['Constant']),
    config: z.strictObject({ value: bound }),
  }),
  z.strictObject({
    ...initializer(['RandomNormal', 'TruncatedNormal']),
    config: z.strictObject({ mean: bound.default(0), stddev: scale.default(0.05), seed }),
  }),
  z.strictObject({
    ...initializer(['RandomUniform']),
    config: z.strictObject({ minval: bound.default(-0.05), maxval: bound.default(0.05), seed }),
  }),
  z.strictObject({
    ...initializer(['VarianceScaling']),
    config: z.strictObject({
      scale: scale.default(1),
      mode: z.enum(['fan_in', 'fan_out', 'fan_avg']).default('fan_in'),
      distribution: z
        .enum(['normal', 'truncated_normal', 'untruncated_normal', 'uniform'])
        .default('truncated_normal'),
      seed,
    }),
  }),
  z.strictObject({
    ...initializer([
      'GlorotNormal',
      'GlorotUniform',
      'HeNormal',
      'HeUniform',
      'LeCunNormal',
      'LeCunUniform',
      'LecunNormal',
      'LecunUniform',
    ]),
    config: z.strictObject({ seed }).optional(),
  }),
]);
export type Initializer = z.output<typeof initializerSchema>;

const none = z.null().optional();

/** A weight's initializer, and what must be absent: decay is the job's `training.weightDecay`. */
export function weight<N extends string>(
  name: N,
): Record<`${N}_initializer`, z.ZodOptional<typeof initializerSchema>> &
  Record<`${N}_regularizer` | `${N}_constraint`, typeof none> {
  return {
    [`${name}_initializer`]: initializerSchema.optional(),
    [`${name}_regularizer`]: none,
    [`${name}_constraint`]: none,
  } as ReturnType<typeof weight<N>>;
}

export const noActivityRegularizer = { activity_regularizer: none };

/** Names become parts of the names of parameters in checkpoints and exports. */
export const layerName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_./-]*$/, 'expected letters, digits and _ . / -')
  .refine(
    (name) => !/^(optimizer|average)\//.test(name),
    'expected a name that does not begin with optimizer/ or average/',
  );

export const dimension = z.int().min(1).max(65_536);

export const common = {
  name: layerName,
  trainable: z.literal(true).optional(),
  dtype: z.literal('float32').optional(),
  batch_input_shape: z
    .array(dimension.nullable())
    .min(2)
    .max(4)
    .nullish()
    .describe('samples first; the data set decides'),
};

export const channelsLast = { data_format: z.literal('channels_last').nullish() };

/** One number for height and width, or both. */
export const pairOf = <T extends z.ZodType<number>>(size: T) =>
  z.union([size, z.array(size).length(2)]);

export const activation = z
  .enum([
    'linear',
    'relu',
    'relu6',
    'elu',
    'selu',
    'sigmoid',
    'hard_sigmoid',
    'softplus',
    'softsign',
    'softmax',
    'swish',
    'mish',
    'tanh',
  ])
  .default('linear');

export const padding = z.enum(['valid', 'same']).default('valid');
