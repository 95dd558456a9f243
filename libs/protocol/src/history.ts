import { z } from 'zod';
import { stepMetricsSchema, stepPartsSchema } from './events.js';

/** Milliseconds since 1970, by the coordinator's clock. */
const timeMs = z.int().min(0);

/** A committed step as it is kept. */
export const stepRecordSchema = stepMetricsSchema.extend({
  /** When it was reported; absent in records from before that was kept. */
  timeMs: timeMs.optional(),
});
export type StepRecord = z.output<typeof stepRecordSchema>;

/** How each rank spent its steps since the record before: means over them. */
export const rankRecordSchema = z.strictObject({
  /** The last of these steps. */
  step: z.int().min(1),
  timeMs,
  ranks: z.array(
    z.strictObject({
      rank: z.int().min(0),
      workerId: z.string(),
      /** Samples that the rank computed in a step. */
      samples: z.number().min(0),
      parts: stepPartsSchema,
    }),
  ),
});
export type RankRecord = z.output<typeof rankRecordSchema>;
