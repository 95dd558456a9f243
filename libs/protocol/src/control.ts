import { z } from 'zod';
import { dataSetManifestSchema } from './data-set.js';
import { evaluationResultSchema, stepMetricsSchema, stepPartsSchema } from './events.js';
import { armedFaultSchema } from './faults.js';
import { jobSpecSchema } from './job-spec.js';
import { layersSchema, layerStatisticsSchema } from './layers.js';
import { ringSettingsSchema } from './ring-settings.js';

/** Names one membership of one try of one job: the fence on every message, frame and file. */
export const fenceSchema = z.strictObject({
  jobId: z.string().min(1).max(64),
  attempt: z.int().min(1),
  /** From 1; 0 before an attempt's first, when workers are back with a state from before it. */
  generation: z.int().min(0),
});
export type Fence = z.output<typeof fenceSchema>;

/** Names a local socket of a worker, see libs/transport-ws; absent where it has none. */
const ringLocalNameSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits')
  .optional();

/** A member of a generation; its rank is its index in `members`. */
export const memberSchema = z.strictObject({
  workerId: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65_535),
  localName: ringLocalNameSchema,
  lanes: z.array(z.int().min(0)),
});
export type Member = z.output<typeof memberSchema>;

/** Where a job's training stands: all that is needed to go on, besides tensors. */
export const positionSchema = z.strictObject({
  /** Committed optimizer steps. */
  step: z.int().min(0),
  epoch: z.int().min(0),
  /** Samples committed in this epoch. */
  cursor: z.int().min(0),
});
export type Position = z.output<typeof positionSchema>;

/** `skipped`: a newer one was due before this one's turn to be stored had come. */
export const checkpointResults = ['stored', 'failed', 'skipped'] as const;
export type CheckpointResult = (typeof checkpointResults)[number];

/** Worker to coordinator. */
export const workerMessageSchema = z.discriminatedUnion('type', [
  /** First message on a connection; anything else before `welcome` closes it. */
  z.strictObject({
    type: z.literal('hello'),
    protocolVersion: z.int(),
    workerId: z.string().min(1).max(64),
    host: z.string().min(1).max(255),
    ringPort: z.int().min(1).max(65_535),
    ringLocalName: ringLocalNameSchema,
    /** Workers of one label are neighbours in a ring; absent: `host`. */
    hostLabel: z.string().min(1).max(255).optional(),
    device: z.strictObject({
      kind: z.enum(['cpu', 'gpu']),
      name: z.string().max(200),
      memoryBytes: z.int().min(0),
    }),
    threads: z.int().min(1).max(256),
    /** Whether its GPU may multiply float32 values as TF32; absent: true. Nothing to a CPU. */
    tf32: z.boolean().optional(),
    /** Whether it takes faults: a worker that was not told to refuses them. */
    takesFaults: z.boolean(),
    /** The job's state that the worker has kept from before this connection, if any. */
    held: z
      .strictObject({ jobId: fenceSchema.shape.jobId, step: positionSchema.shape.step })
      .nullable(),
  }),
  z.strictObject({
    type: z.literal('heartbeat'),
    /** Milliseconds since the compute thread last answered; grows when TensorFlow hangs. */
    computeSilentMs: z.number().min(0),
    /** Where this worker receives from, and how fast, as far as this ring has shown. */
    incomingLink: z
      .strictObject({
        from: z.string().min(1).max(64),
        bytesPerSecond: z.number().gt(0),
      })
      .optional(),
  }),
  /** Answers `load`. */
  z.strictObject({
    type: z.literal('loaded'),
    fence: fenceSchema,
    /** Why it can't take part; null when it can. */
    error: z.string().max(2_000).nullable(),
  }),
  /** The generation is prepared: data set cached, model compiled, ring connected. */
  z.strictObject({
    type: z.literal('ready'),
    fence: fenceSchema,
    position: positionSchema,
    /** SHA-256 of the state at that position. */
    stateHash: z.string(),
  }),
  /** The worker left the generation because of an error; its state is that of `position`. */
  z.strictObject({
    type: z.literal('aborted'),
    fence: fenceSchema,
    code: z.string(),
    message: z.string().max(2_000),
    /** True when another try with the same members can't help (bad spec, non-finite gradients). */
    fatal: z.boolean(),
    position: positionSchema,
  }),
  /** Every rank, for each committed step it reports on. */
  z.strictObject({
    type: z.literal('step'),
    fence: fenceSchema,
    rank: z.int().min(0),
    step: z.int().min(1),
    parts: stepPartsSchema,
    /** Milliseconds that the ring worked while this rank computed; absent: none. */
    ringHiddenMs: z.number().min(0).optional(),
    ringBytes: z.int().min(0),
    /** Samples that this rank computed. */
    samples: z.int().min(0),
    /** Global results; rank 0 alone. */
    metrics: stepMetricsSchema.nullable(),
    /** Parameter hash, at the hash interval. */
    stateHash: z.string().nullable(),
  }),
  /** Rank 0, after an evaluation. */
  z.strictObject({
    type: z.literal('evaluation'),
    fence: fenceSchema,
    result: evaluationResultSchema,
  }),
  /** The rank that stores: what became of a checkpoint that was due. */
  z.strictObject({
    type: z.literal('checkpoint'),
    fence: fenceSchema,
    step: z.int().min(1),
    result: z.enum(checkpointResults),
    /** Why it is not stored; empty when it is. */
    reason: z.string().max(2_000),
    /** Time that training was held for it. */
    heldMs: z.number().min(0),
  }),
  /** Rank 0: something that the job's followers are told. */
  z.strictObject({
    type: z.literal('notice'),
    fence: fenceSchema,
    message: z.string().max(2_000),
  }),
  /** The rank that owns lane 0, after a committed step whose statistics are due. */
  z.strictObject({
    type: z.literal('layers'),
    fence: fenceSchema,
    layers: layersSchema,
    statistics: layerStatisticsSchema,
  }),
  /** All steps are committed, the last evaluation done and the last checkpoint stored. */
  z.strictObject({
    type: z.literal('finished'),
    fence: fenceSchema,
    rank: z.int().min(0),
    modelSha256: z.string(),
  }),
  /** The worker stopped its part of a job on `stop`. */
  z.strictObject({ type: z.literal('stopped'), fence: fenceSchema }),
  /** A fault strikes now; of a fatal one this is the last word. */
  z.strictObject({ type: z.literal('faultFired'), id: z.string().max(64), fence: fenceSchema }),
  /** The worker asks to be drained (SIGTERM). */
  z.strictObject({
    type: z.literal('leave'),
    reason: z.string().max(200),
    /** Time until it will be gone, released or not. */
    graceMs: z.int().min(0),
  }),
]);
export type WorkerMessage = z.output<typeof workerMessageSchema>;

/** Coordinator to worker. */
export const coordinatorMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('welcome'),
    protocolVersion: z.int(),
    heartbeatIntervalMs: z.int().min(1),
    /** A peer silent for this long is dead. */
    heartbeatTimeoutMs: z.int().min(1),
    /** So is a worker whose compute thread has not answered for this long: it ends itself. */
    computeSilenceLimitMs: z.int().min(1),
    ring: ringSettingsSchema.optional(),
  }),
  /**
   * Load a running job's data and compile its model, to join one of its next generations without
   * holding it; the fence is that of the present one.
   */
  z.strictObject({
    type: z.literal('load'),
    fence: fenceSchema,
    spec: jobSpecSchema,
    dataSet: z.strictObject({ hash: z.string(), manifest: dataSetManifestSchema }),
  }),
  /** Leave any earlier generation, load what is missing, connect the ring, then answer `ready`. */
  z.strictObject({
    type: z.literal('prepare'),
    fence: fenceSchema,
    spec: jobSpecSchema,
    dataSet: z.strictObject({ hash: z.string(), manifest: dataSetManifestSchema }),
    /** By rank. */
    members: z.array(memberSchema).min(1),
    rank: z.int().min(0),
    /** Secret of this generation's ring sockets. */
    ringToken: z.string().min(16),
    /**
     * A worker whose own state is behind this checkpoint starts from it; null: there is none, or a
     * member holds a state that is as far.
     */
    checkpointStep: z.int().min(0).nullable(),
    reason: z.string(),
  }),
  /** Faults for this rank of a generation, in place of those told before. */
  z.strictObject({
    type: z.literal('faults'),
    fence: fenceSchema,
    faults: z.array(armedFaultSchema).max(256),
  }),
  /** All members are ready. Members behind `position` receive the state from `sourceRank`. */
  z.strictObject({
    type: z.literal('start'),
    fence: fenceSchema,
    position: positionSchema,
    sourceRank: z.int().min(0),
    /** Ranks that must receive the state. */
    behind: z.array(z.int().min(0)),
  }),
  /** Leave the generation and forget the job's state: once it is stored, if it is to be. */
  z.strictObject({
    type: z.literal('stop'),
    fence: fenceSchema,
    /** True: store a checkpoint of the last committed step first, whatever the rank. */
    checkpoint: z.boolean(),
    reason: z.string(),
  }),
  /** No more work for this worker: it may exit. */
  z.strictObject({ type: z.literal('released') }),
  /** The connection is refused and closed after this. */
  z.strictObject({ type: z.literal('refused'), code: z.string(), message: z.string() }),
]);
export type CoordinatorMessage = z.output<typeof coordinatorMessageSchema>;
