import { z } from 'zod';

/** A rank keeps a copy of every other rank's vector while it exchanges. */
export const MAX_EXCHANGE_LIMIT_BYTES = 16 * 1024 * 1024;
export const MIN_SEGMENT_BYTES = 16 * 1024;
/** What a worker's ring takes at once. */
export const MAX_SEGMENT_BYTES = 4 * 1024 * 1024;

/** How rings reduce, as `skipring tune-ring` finds it; the same on all workers of a cluster. */
export const ringSettingsSchema = z.strictObject({
  /** Vectors up to this size are exchanged whole; absent: the collective's own default, as below. */
  exchangeLimitBytes: z.int().min(0).max(MAX_EXCHANGE_LIMIT_BYTES).optional(),
  /** Most bytes of a segment. */
  segmentBytes: z.int().min(MIN_SEGMENT_BYTES).max(MAX_SEGMENT_BYTES).optional(),
});
export type RingSettings = z.output<typeof ringSettingsSchema>;
