import { z } from 'zod';

/** Where in a step, or behind it, a fault strikes; in the order in which a rank comes by. */
export const faultPhases = [
  'dataFetch',
  'compute',
  'reduceScatter',
  'allGather',
  'vote',
  'apply',
  'evaluation',
  'checkpoint',
] as const;
export type FaultPhase = (typeof faultPhases)[number];

/** Halves of the all-reduce of the gradient, which the I/O thread runs. */
export const ringPhases = ['reduceScatter', 'allGather'] as const;
export type RingPhase = (typeof ringPhases)[number];

const MAX_DURATION_MS = 600_000;
const durationMs = z.int().min(1).max(MAX_DURATION_MS);
const count = z.int().min(1).max(10_000).default(1);

const rank = z.int().min(0).max(1023).describe('rank that it strikes');
const step = z
  .int()
  .min(1)
  .describe('number of the step under way; behind it, of the last committed one');
const place = { rank, step, phase: z.enum(faultPhases) };
const ringPlace = { rank, step, phase: z.enum(ringPhases) };
const computePlace = { rank, step, phase: z.enum(faultPhases).exclude([...ringPhases]) };

/** What goes wrong, and where: at the first step of this number or a later one that comes by. */
export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kill').describe('SIGKILL'), ...place }),
  z.strictObject({
    kind: z.literal('freeze').describe('SIGSTOP, and SIGCONT after durationMs'),
    ...place,
    durationMs,
  }),
  z.strictObject({
    kind: z.literal('hang').describe('the compute thread stands still, in count steps'),
    ...computePlace,
    durationMs,
    count,
  }),
  z.strictObject({
    kind: z.literal('delaySegments').describe('count segments go out durationMs late each'),
    ...ringPlace,
    durationMs,
    count,
  }),
  z.strictObject({
    kind: z.literal('dropSegments').describe('count segments never go out'),
    ...ringPlace,
    count,
  }),
  z.strictObject({
    kind: z.literal('corruptFrame').describe('one bit of a segment changes on its way'),
    ...ringPlace,
  }),
  z.strictObject({
    kind: z
      .literal('fillDisk')
      .describe('the coordinator finds no space for count checkpoints, from this step on'),
    step,
    count,
  }),
]);
export type Fault = z.output<typeof faultSchema>;
/** A fault that a worker brings about. */
export type WorkerFault = Exclude<Fault, { kind: 'fillDisk' }>;

export const faultKinds = faultSchema.options.map((option) => option.shape.kind.value);
export type FaultKind = Fault['kind'];

/** What `POST /faults` takes. */
export const faultRequestSchema = z.strictObject({
  jobId: z.string().min(1).max(64),
  fault: faultSchema,
});
export type FaultRequest = z.output<typeof faultRequestSchema>;
export type FaultRequestInput = z.input<typeof faultRequestSchema>;

/** `expired`: the job's attempt ended before the fault struck. */
export const faultStates = ['armed', 'fired', 'cancelled', 'expired'] as const;

export const faultViewSchema = z.strictObject({
  id: z.string(),
  jobId: z.string(),
  fault: faultSchema,
  state: z.enum(faultStates),
  /** The worker that it struck; null for faults of the coordinator and before it struck. */
  workerId: z.string().nullable(),
  createdAt: z.iso.datetime(),
  firedAt: z.iso.datetime().nullable(),
  /**
   * From the fault to when the last of the other members had left the generation; null when none
   * had to, or not yet.
   */
  abortMs: z.number().min(0).nullable(),
  /** From the fault to the first step that a later generation committed; null: none so far. */
  recoverMs: z.number().min(0).nullable(),
});
export type FaultView = z.output<typeof faultViewSchema>;

/** A fault as a worker is told of it. */
export const armedFaultSchema = z.strictObject({
  id: z.string().min(1).max(64),
  fault: z.discriminatedUnion('kind', [
    faultSchema.options[0],
    faultSchema.options[1],
    faultSchema.options[2],
    faultSchema.options[3],
    faultSchema.options[4],
    faultSchema.options[5],
  ]),
});
export type ArmedFault = z.output<typeof armedFaultSchema>;
