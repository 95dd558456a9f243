import type {
  EvaluationResult,
  JobEvent,
  JobState,
  RankRecord,
  StepRecord,
  TokenLimits,
} from '@skipring/protocol';
import type { JobRecord, NewJobEvent } from './job-record.js';
import type { LedgerUpdate } from './ledger-fields.js';

export interface JobChange {
  /** The change is refused unless the job is in one of these states. */
  readonly from?: readonly JobState[];
  /** The change is refused unless this is the job's attempt. */
  readonly attempt?: number;
  readonly fields?: Partial<Omit<JobRecord, 'id' | 'spec' | 'createdAt'>>;
  readonly event?: NewJobEvent;
  /** Added to the history of steps or evaluations, in place of what has the same step. */
  readonly step?: StepRecord;
  /** Added to the history of how ranks spend their steps. */
  readonly ranks?: RankRecord | null;
  readonly evaluation?: EvaluationResult;
  readonly ledger?: LedgerUpdate;
  /**
   * Rises with each change of a job by one leader. A change that was given up at its deadline may
   * still be under way to the store: whichever of its tries comes first is done, and no later one,
   * nor one that a newer change has overtaken.
   */
  readonly sequence?: number;
  /** Of the owner: a job that had ended is opened again only within them. */
  readonly limits?: TokenLimits;
}

export type ChangeResult =
  | { readonly outcome: 'done'; readonly event: JobEvent | null }
  | { readonly outcome: 'refused'; readonly state: JobState }
  | { readonly outcome: 'missing' };
