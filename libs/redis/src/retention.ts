import { MAX_LAYER_ENTRIES } from '@skipring/protocol';

export interface Retention {
  /** About this many newest events are kept of a job. */
  readonly events: number;
  /** Newest step metrics kept of a job. */
  readonly steps: number;
  /** Newest times of single ranks kept of a job, of all ranks together. */
  readonly rankTimes: number;
  /** Newest evaluations kept of a job. */
  readonly evaluations: number;
  /** Newest entries of layer statistics kept of a job. */
  readonly layers: number;
  /** About this many newest changes of state are kept of all jobs together. */
  readonly stateChanges: number;
  /** How long events and histories of an ended job are kept. */
  readonly historyMs: number;
  readonly idempotencyMs: number;
}

const DAY_MS = 86_400_000;
export const DEFAULT_RETENTION: Retention = {
  events: 10_000,
  steps: 200_000,
  rankTimes: 20_000,
  evaluations: 1_000,
  layers: MAX_LAYER_ENTRIES,
  stateChanges: 100_000,
  historyMs: 30 * DAY_MS,
  idempotencyMs: DAY_MS,
};
