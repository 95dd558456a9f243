import { z } from 'zod';
import { finalJobStates, jobStates } from './events.js';
import { nameSchema } from './job-spec.js';
import { API_VERSION } from './version.js';

const MAX_TRIALS = 1_000;
const maxInt32 = 2_147_483_647;

/** What one parameter may be: one of some values, or a number of a range. */
const parameterSchema = z.union([
  z.strictObject({
    values: z
      .array(z.union([z.string().max(200), z.number(), z.boolean()]))
      .min(1)
      .max(100),
  }),
  z
    .strictObject({
      min: z.number(),
      max: z.number(),
      scale: z.enum(['linear', 'log']).default('linear'),
      integer: z.boolean().default(false),
    })
    .refine(({ min, max }) => min < max, { path: ['min'], message: 'expected less than max' })
    .refine(({ min, scale }) => scale === 'linear' || min > 0, {
      path: ['min'],
      message: 'expected more than 0 on a log scale',
    }),
]);
export type SweepParameter = z.output<typeof parameterSchema>;

const strategySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('grid').describe('every combination of the values') }),
  z.strictObject({
    kind: z.literal('random').describe('so many combinations, drawn by the seed'),
    trials: z.int().min(1).max(MAX_TRIALS),
  }),
  z.strictObject({
    kind: z
      .literal('halving')
      .describe('successive halving (Jamieson and Talwalkar 2016) over random combinations'),
    trials: z.int().min(2).max(MAX_TRIALS),
    factor: z
      .int()
      .min(2)
      .max(10)
      .default(3)
      .describe('the best 1/factor of a rung go on, each with factor times the steps or epochs'),
  }),
]);

/** Many jobs that differ in some fields: data, as a job spec is. */
export const sweepSpecSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    name: nameSchema.max(50),
    job: z
      .record(z.string(), z.unknown())
      .describe('a job spec without name; of halving, with the full steps or epochs'),
    parameters: z
      .record(
        z
          .string()
          .regex(/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*){0,5}$/, 'expected a field of a job'),
        parameterSchema,
      )
      .refine((parameters) => {
        const count = Object.keys(parameters).length;
        return count >= 1 && count <= 16;
      }, 'expected 1 to 16 parameters')
      .describe('by field, such as training.learningRate'),
    strategy: strategySchema,
    objective: z
      .enum(['accuracy', 'loss'])
      .default('accuracy')
      .describe('of the last evaluation; the best accuracy, or the least loss'),
    parallel: z.int().min(1).max(256).default(4).describe('trials that have not ended, at a time'),
    seed: z.int().min(0).max(maxInt32).default(1),
  })
  .refine(
    ({ strategy, parameters }) =>
      strategy.kind !== 'grid' ||
      Object.values(parameters).every((parameter) => 'values' in parameter),
    { path: ['strategy', 'kind'], message: 'expected only parameters with values in a grid' },
  )
  .refine(
    ({ strategy, parameters }) =>
      strategy.kind !== 'grid' ||
      Object.values(parameters).reduce(
        (product, parameter) => product * ('values' in parameter ? parameter.values.length : 1),
        1,
      ) <= MAX_TRIALS,
    { path: ['parameters'], message: `expected at most ${MAX_TRIALS} combinations` },
  );
export type SweepSpec = z.output<typeof sweepSpecSchema>;
export type SweepSpecInput = z.input<typeof sweepSpecSchema>;

/** One job of a sweep. */
export const trialSchema = z.strictObject({
  /** Which combination; the same in every rung. */
  index: z.int().min(0),
  /** Of successive halving, from 0; else 0. */
  rung: z.int().min(0),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Null until it is submitted. */
  jobId: z.string().nullable(),
  /** `refused` when its spec can't be submitted. */
  state: z.enum([...jobStates, 'refused']).nullable(),
  reason: z.string(),
  /** The objective, once it has succeeded. */
  score: z.number().nullable(),
});
export type Trial = z.output<typeof trialSchema>;

export function hasTrialEnded({ state }: Trial): boolean {
  return state === 'refused' || (state !== null && finalJobStates.includes(state));
}

export const sweepStates = ['running', 'done', 'cancelled'] as const;

export const sweepViewSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  state: z.enum(sweepStates),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  spec: sweepSpecSchema,
  trials: z.array(trialSchema),
  /** The best trial of the last rung so far. */
  best: trialSchema.nullable(),
});
export type SweepView = z.output<typeof sweepViewSchema>;

/** The trials as they are read: of the last rung first, of a rung the best first, without a score last. */
export function trialsBestFirst({ spec, trials }: Pick<SweepView, 'spec' | 'trials'>): Trial[] {
  const sign = spec.objective === 'accuracy' ? -1 : 1;
  const order = ({ score }: Trial): number => (score === null ? Number.MAX_VALUE : sign * score);
  return [...trials].sort((a, b) => b.rung - a.rung || order(a) - order(b) || a.index - b.index);
}
