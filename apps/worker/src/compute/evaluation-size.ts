/** Samples in an evaluation batch: the same on every worker, for the batches are split over them. */
export const EVALUATION_BATCH_SIZE = 128;
