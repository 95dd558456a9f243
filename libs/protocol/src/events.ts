import { z } from 'zod';
import { faultSchema, faultStates } from './faults.js';
import { stragglerSchema } from './stragglers.js';

/**
 * Lifecycle of a job. `pending` waits in the queue; `waiting` has an attempt but too few workers;
 * `paused` waits for a user.
 */
export const jobStates = [
  'pending',
  'waiting',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type JobState = (typeof jobStates)[number];
/** States in which a job has an attempt. */
export const attemptStates = ['waiting', 'running', 'pausing', 'cancelling'] as const;
export type AttemptState = (typeof attemptStates)[number];
export const finalJobStates: readonly JobState[] = ['succeeded', 'failed', 'cancelled'];

/** Mean wall time of each part of a rank's step, in milliseconds. */
export const stepPartsSchema = z.strictObject({
  dataWaitMs: z.number().min(0),
  computeMs: z.number().min(0),
  ringMs: z.number().min(0),
  commitMs: z.number().min(0),
  applyMs: z.number().min(0),
});
export type StepParts = z.output<typeof stepPartsSchema>;

/** A step whose gradient was not finite: its samples are used, and nothing else has changed. */
export const skippedStepSchema = z.strictObject({
  /** The first lane of each rank that had a NaN or an infinity. */
  lanes: z.array(z.int().min(0)),
  /** Where the first of them were, such as `stem/conv/kernel (gradient)`. */
  tensors: z.array(z.string()).max(5),
  numTensors: z.int().min(1),
  /** Steps skipped in this job so far, this one included. */
  numSkipped: z.int().min(1),
});
export type SkippedStep = z.output<typeof skippedStepSchema>;

/** A committed step, as rank 0 reports it. The values are sums over all lanes, not over one rank. */
export const stepMetricsSchema = z.strictObject({
  step: z.int().min(1),
  epoch: z.int().min(0),
  /** Samples committed in this epoch after this step. */
  cursor: z.int().min(0),
  /** Over all lanes; 32768, the most that is told, where it is not finite. */
  loss: z.number(),
  accuracy: z.number().min(0).max(1),
  learningRate: z.number().min(0),
  samples: z.int().min(1),
  stepMs: z.number().min(0),
  /** Absent from a step that was taken. */
  skipped: skippedStepSchema.optional(),
});
export type StepMetrics = z.output<typeof stepMetricsSchema>;

/** A sample of the test split, and what the model took it for. */
export const scoredSampleSchema = z.strictObject({
  /** Its index in the test split. */
  sample: z.int().min(0),
  label: z.int().min(0),
  predicted: z.int().min(0),
  loss: z.number(),
});
export type ScoredSample = z.output<typeof scoredSampleSchema>;

export const evaluationResultSchema = z.strictObject({
  step: z.int().min(0),
  epoch: z.int().min(0),
  loss: z.number(),
  accuracy: z.number().min(0).max(1),
  samples: z.int().min(1),
  /** Row = true class, column = predicted class. */
  confusion: z.array(z.array(z.int().min(0))),
  /** The samples of the greatest loss, greatest first; none from before they were kept. */
  worst: z.array(scoredSampleSchema).max(256).default([]),
});
export type EvaluationResult = z.output<typeof evaluationResultSchema>;

const eventBase = { id: z.string(), time: z.iso.datetime(), jobId: z.string() };

/** What a follower of a job sees, in order; `id` resumes a stream. */
export const jobEventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...eventBase,
    type: z.literal('state'),
    state: z.enum(jobStates),
    reason: z.string(),
    attempt: z.int().min(0),
  }),
  z.strictObject({
    ...eventBase,
    type: z.literal('generation'),
    attempt: z.int().min(1),
    generation: z.int().min(1),
    workers: z.array(z.string()),
    step: z.int().min(0),
    reason: z.string(),
  }),
  z.strictObject({ ...eventBase, type: z.literal('step'), metrics: stepMetricsSchema }),
  z.strictObject({ ...eventBase, type: z.literal('evaluation'), result: evaluationResultSchema }),
  z.strictObject({
    ...eventBase,
    type: z.literal('checkpoint'),
    step: z.int().min(0),
    bytes: z.int().min(0),
    modelSha256: z.string(),
    best: z.boolean(),
  }),
  z.strictObject({
    ...eventBase,
    type: z.literal('fault'),
    faultId: z.string(),
    state: z.enum(faultStates),
    fault: faultSchema,
    /** The worker that it struck. */
    workerId: z.string().nullable(),
  }),
  z.strictObject({
    ...eventBase,
    type: z.literal('straggler'),
    /** `recovered`: it was slow, and now keeps up with the others. */
    state: z.enum(['slow', 'recovered']),
    ...stragglerSchema.shape,
  }),
  z.strictObject({
    ...eventBase,
    type: z.literal('log'),
    level: z.enum(['info', 'warn', 'error']),
    message: z.string(),
  }),
]);
export type JobEvent = z.output<typeof jobEventSchema>;
