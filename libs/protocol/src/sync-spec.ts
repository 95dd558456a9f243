import { z } from 'zod';

const maxInt32 = 2_147_483_647;
const positiveInt = z.int().min(1);

const periodFields = {
  replicas: positiveInt
    .max(1024)
    .describe('models trained apart; each has lanes.count / replicas lanes, whoever computes them'),
  warmupSteps: z
    .int()
    .min(0)
    .max(maxInt32)
    .default(0)
    .describe('steps at the beginning that are reduced one by one, as with allReduce'),
};
const everySteps = positiveInt.max(100_000).describe('steps of a replica between two averages');
const optimizerState = z
  .enum(['average', 'keep', 'reset'])
  .describe('optimizer slots at an average: averaged too, kept by each replica, or set to zero');

const compressionFields = {
  fullEverySteps: positiveInt
    .max(10_000)
    .default(64)
    .describe('every n-th step is sent whole, with what compression has left out since'),
  warmupSteps: z
    .int()
    .min(0)
    .max(maxInt32)
    .default(0)
    .describe('steps at the beginning that are not compressed'),
};

const compressionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('powerSgd').describe('a product of two thin matrices (Vogels et al. 2019)'),
    matrixRank: positiveInt.max(64).default(4).describe('columns of the thin matrices'),
    ...compressionFields,
  }),
  z.strictObject({
    kind: z.literal('topK').describe('the largest values of each tensor and lane'),
    fraction: z.number().gt(0).lt(0.5).default(0.01).describe('share of values that is sent'),
    ...compressionFields,
  }),
]);
export type CompressionSpec = z.output<typeof compressionSchema>;

/** How often replicas agree. */
export const syncSchema = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.literal('allReduce').describe('gradients, at every step'),
    compression: compressionSchema
      .optional()
      .describe('of gradients, with error feedback; absent: none'),
  }),
  z.strictObject({
    mode: z.literal('localSgd').describe('parameters (Stich 2019; post-local: Lin et al. 2020)'),
    ...periodFields,
    everySteps: everySteps.default(16),
    optimizerState: optimizerState.default('average'),
  }),
  z.strictObject({
    mode: z.literal('diloco').describe('an outer Nesterov step (Douillard et al. 2023)'),
    ...periodFields,
    everySteps: everySteps.default(64),
    optimizerState: optimizerState.default('keep'),
    outerLearningRate: z.number().gt(0).max(10).default(0.7),
    outerMomentum: z.number().min(0).lt(1).default(0.9),
  }),
]);
export type SyncSpec = z.output<typeof syncSchema>;

/** The steps between two commits, where they are more than one. */
export interface PeriodSpec {
  /** Steps at the beginning that are committed one by one. */
  readonly warmupSteps: number;
  readonly everySteps: number;
}

/** Null where every step is committed by itself. */
export function periodSpec(sync: SyncSpec): PeriodSpec | null {
  if (sync.mode !== 'allReduce') return sync;
  if (sync.compression === undefined) return null;
  const { warmupSteps, fullEverySteps } = sync.compression;
  return { warmupSteps, everySteps: fullEverySteps };
}

/** What decides how many workers can share a job's lanes. */
export interface Grouping {
  readonly lanes: { readonly count: number };
  readonly sync: SyncSpec;
}

/** Groups of lanes that only one worker can own together. */
export function numLaneGroups({ lanes, sync }: Grouping): number {
  return sync.mode === 'allReduce' ? lanes.count : sync.replicas;
}

/** Lanes of one group: groups are equally large, and follow each other. */
export function lanesOfGroup(grouping: Grouping, group: number): number[] {
  const size = grouping.lanes.count / numLaneGroups(grouping);
  return Array.from({ length: size }, (_, index) => group * size + index);
}
