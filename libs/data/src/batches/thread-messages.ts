import type { MessagePort } from 'node:worker_threads';
import type { Augmentation } from '../samples/augmentation.js';
import type { ImageStatistics } from '../samples/geometry.js';
import type { LaneBatch } from '../samples/lane-batch.js';
import type { SharedRecords } from '../samples/sample-source.js';
import type { LaneShape } from '../sampling/plan.js';

/** What decides the training batches of a job, besides the data. */
export interface BatchSpec {
  readonly seed: number;
  readonly lanes: LaneShape;
  readonly augmentation: Augmentation;
}

/** What the batch thread is started with. */
export interface ThreadData {
  readonly port: MessagePort;
  readonly records: SharedRecords;
  readonly statistics: ImageStatistics;
  readonly spec: BatchSpec;
  /** Lane batches that may be made and not yet taken. */
  readonly depth: number;
}

/** First step that is wanted. */
export interface EpochStep {
  readonly epoch: number;
  readonly stepInEpoch: number;
}

export type ToThread =
  | {
      readonly kind: 'seek';
      /** Number of this seek: batches of an earlier one are stale. */
      readonly seek: number;
      readonly start: EpochStep;
      /** Ascending. */
      readonly lanes: readonly number[];
    }
  | {
      readonly kind: 'taken';
      readonly seek: number;
      /** Batches since the last such message. */
      readonly count: number;
    };

export type FromThread =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'batch';
      readonly seek: number;
      readonly lane: number;
      readonly batch: LaneBatch;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
