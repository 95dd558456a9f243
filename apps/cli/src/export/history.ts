import type { EvaluationResult, JobView, StepRecord } from '@skipring/protocol';

/** All that is stored of a job's course. */
export interface History {
  readonly job: JobView;
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationResult[];
}
