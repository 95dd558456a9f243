import { z } from 'zod';
import { dataSetManifestSchema } from './data-set.js';
import { evaluationResultSchema, jobStates, stepMetricsSchema } from './events.js';
import { jobSpecSchema } from './job-spec.js';
import { stragglerSchema } from './stragglers.js';

/** How far a job is. */
export const progressSchema = z.strictObject({
  step: z.int().min(0),
  totalSteps: z.int().min(0),
  epoch: z.int().min(0),
  totalEpochs: z.int().min(0),
  imagesPerSecond: z.number().min(0),
  etaMs: z.number().min(0).nullable(),
});

export const jobViewSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** Name of the token that submitted it. */
  owner: z.string().default('root'),
  state: z.enum(jobStates),
  /** Why the job is in this state, in words: what a waiting job waits for, why one failed. */
  reason: z.string(),
  attempt: z.int().min(0),
  generation: z.int().min(0),
  /** Worker ids by rank; empty when not running. */
  workers: z.array(z.string()),
  progress: progressSchema,
  lastStep: stepMetricsSchema.nullable(),
  lastEvaluation: evaluationResultSchema.nullable(),
  bestAccuracy: z.number().nullable(),
  /** SHA-256 of the final model file; null until the job succeeded. */
  modelSha256: z.string().nullable(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  spec: jobSpecSchema,
});
export type JobView = z.output<typeof jobViewSchema>;

/** A job as a long list has it: without its spec and its confusion matrix, which are most of it. */
export const jobSummarySchema = jobViewSchema.omit({ spec: true, lastEvaluation: true });
export type JobSummary = z.output<typeof jobSummarySchema>;

/** The most jobs in one page of the list, by what is told of each. */
export const MAX_LISTED = { full: 200, summary: 10_000 } as const;
export type ListedView = keyof typeof MAX_LISTED;

const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    items: z.array(item),
    /** Pass as `cursor` for the next page; null on the last. */
    nextCursor: z.string().nullable(),
    /** Jobs that there are on all pages together. */
    total: z.int().min(0),
  });
export const jobPageSchema = pageOf(jobViewSchema);
export type JobPage = z.output<typeof jobPageSchema>;
export const jobSummaryPageSchema = pageOf(jobSummarySchema);
export type JobSummaryPage = z.output<typeof jobSummaryPageSchema>;

export const checkpointViewSchema = z.strictObject({
  step: z.int().min(0),
  epoch: z.int().min(0),
  createdAt: z.iso.datetime(),
  bytes: z.int().min(0),
  modelSha256: z.string(),
  best: z.boolean(),
  /** Directory on the coordinator's machine. */
  path: z.string(),
});
export type CheckpointView = z.output<typeof checkpointViewSchema>;

export const workerStates = ['idle', 'busy', 'draining'] as const;

export const workerViewSchema = z.strictObject({
  id: z.string(),
  host: z.string(),
  state: z.enum(workerStates),
  device: z.strictObject({
    kind: z.enum(['cpu', 'gpu']),
    name: z.string(),
    memoryBytes: z.int().min(0),
  }),
  threads: z.int().min(1),
  jobId: z.string().nullable(),
  rank: z.int().min(0).nullable(),
  lanes: z.array(z.int().min(0)),
  /** Where it holds up the other members of its job, and how many times as long it takes. */
  slow: stragglerSchema.pick({ part: true, ratio: true }).nullable(),
  /** Over the last steps of the job that it trains; while it trains none, of the job before. */
  imagesPerSecond: z.number().min(0),
  connectedAt: z.iso.datetime(),
  lastHeartbeatAt: z.iso.datetime(),
});
export type WorkerView = z.output<typeof workerViewSchema>;

export const dataSetViewSchema = z.strictObject({
  name: z.string(),
  /** Who registered it; that one and an admin may remove it. */
  owner: z.string().default('root'),
  state: z.enum(['preparing', 'ready', 'failed']),
  /** Why preparation failed; empty otherwise. */
  reason: z.string(),
  /** SHA-256 of the manifest: the identity of the prepared bytes; null until ready. */
  hash: z.string().nullable(),
  manifest: dataSetManifestSchema.nullable(),
  createdAt: z.iso.datetime(),
});
export type DataSetView = z.output<typeof dataSetViewSchema>;

/** RFC 9457 problem details. `errors` names each faulty field of a request. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  errors: z
    .array(
      z.strictObject({
        /** JSON pointer into the request body, or the name of a parameter. */
        field: z.string(),
        /** The value given, as JSON cut to 200 characters; "(missing)" when absent. */
        value: z.string(),
        expected: z.string(),
      }),
    )
    .optional(),
});
export type Problem = z.output<typeof problemSchema>;
export type FieldError = NonNullable<Problem['errors']>[number];
