import { z } from 'zod';

/** Consecutive committed steps of one epoch, and the samples that went into them. */
export const ledgerRangeSchema = z.strictObject({
  attempt: z.int().min(1),
  generation: z.int().min(1),
  fromStep: z.int().min(1),
  /** Included. */
  toStep: z.int().min(1),
  /** Places in the epoch's permutation of the samples: the first, and the one behind the last. */
  fromCursor: z.int().min(0),
  toCursor: z.int().min(0),
  /**
   * `reported`: rank 0 of the generation reported each of these steps. `held`: no report of them
   * arrived, as after a crash; the generation began from a state that contains them.
   */
  evidence: z.enum(['reported', 'held']),
  /** These steps were lost with their state and taken again: they are no part of the model. */
  isSuperseded: z.boolean(),
});
export type LedgerRange = z.output<typeof ledgerRangeSchema>;

export const ledgerEpochSchema = z.strictObject({
  epoch: z.int().min(0),
  /** `open`: still to be trained, in whole or in part. `exact`: each sample went in exactly once. */
  verdict: z.enum(['open', 'exact', 'violated']),
  /** What is wrong, in words; empty unless violated. */
  problems: z.array(z.string()),
  ranges: z.array(ledgerRangeSchema),
  /** Superseded ranges that are no longer listed. */
  numDropped: z.int().min(0),
});
export type LedgerEpoch = z.output<typeof ledgerEpochSchema>;

export const ledgerSummarySchema = z.strictObject({
  /** Samples in an epoch. */
  numSamples: z.int().min(1),
  /** Samples in a step; the last of an epoch may have fewer. */
  batchSize: z.int().min(1),
  /** So many epochs, from the first on, are judged and no longer listed. */
  numFolded: z.int().min(0),
  /** How many of those were violated. */
  numFoldedViolated: z.int().min(0),
  /** Steps that were lost and taken again, in all epochs. */
  numRedone: z.int().min(0),
});
export type LedgerSummary = z.output<typeof ledgerSummarySchema>;

/** A ledger as it is stored. */
export const storedLedgerSchema = z.strictObject({
  summary: ledgerSummarySchema,
  epochs: z.array(ledgerEpochSchema),
});
export type StoredLedger = z.output<typeof storedLedgerSchema>;

/** Which samples went into which committed steps of a job. */
export const ledgerViewSchema = z.strictObject({
  jobId: z.string(),
  /** Null until the first attempt began. */
  summary: ledgerSummarySchema.nullable(),
  /** Whether no sample was skipped or repeated, in any epoch and as far as the last one is. */
  isExact: z.boolean(),
  /** In order. */
  epochs: z.array(
    ledgerEpochSchema.extend({
      /** Samples that went into the model, in this epoch. */
      samples: z.int().min(0),
    }),
  ),
});
export type LedgerView = z.output<typeof ledgerViewSchema>;
