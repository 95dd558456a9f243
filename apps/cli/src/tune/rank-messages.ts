import type { RingTuning } from '@skipring/collective';

/** Where a rank listens. */
export interface Member {
  readonly host: string;
  readonly port: number;
  /** Of its local socket; absent: others reach it over TCP. */
  readonly localName?: string;
}

/** What the process of a rank is told, once it has said where it listens. */
export interface RankTask {
  readonly rank: number;
  /** By rank, the same for all. */
  readonly members: readonly Member[];
  readonly ringToken: string;
  /** For all ranks to be there. */
  readonly connectDeadlineMs: number;
  /** What measuring one size may take, about. */
  readonly budgetMs: number;
}

/** What it tells. */
export type RankMessage =
  | { readonly kind: 'listening'; readonly port: number; readonly localName: string | null }
  | { readonly kind: 'progress'; readonly numDone: number; readonly numSizes: number }
  | { readonly kind: 'tuned'; readonly tuning: RingTuning }
  | { readonly kind: 'failed'; readonly message: string };
