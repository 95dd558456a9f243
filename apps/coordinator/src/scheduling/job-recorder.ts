import type { ClusterEffect, Ledger } from '@skipring/cluster';
import type { FaultView, Fence, JobEvent, StepMetrics, Straggler } from '@skipring/protocol';
import type { JobChange, JobRecord, NewJobEvent } from '@skipring/redis';
import type { Logger } from 'pino';
import { retryDelayMs } from '../jobs/retry.js';
import { JobRun } from './job-run.js';
import type { OrderedWrites } from './ordered-writes.js';
import type { JobQueue, JobStore, StoredCheckpoint } from './ports.js';

export interface RecorderParts {
  readonly store: JobStore;
  readonly queue: JobQueue;
  readonly writes: OrderedWrites;
  /** Called after an event is stored. */
  readonly onEvent: (event: Pick<JobEvent, 'type' | 'jobId'>) => void;
  readonly log: Logger;
}

type Effect<T extends ClusterEffect['type']> = Extract<ClusterEffect, { type: T }>;
type LogLevel = Extract<JobEvent, { type: 'log' }>['level'];

/** Writes down what becomes of jobs: their records, events and histories. */
export class JobRecorder {
  private readonly runs = new Map<string, JobRun>();
  private lastSequence = 0;

  constructor(private readonly parts: RecorderParts) {}

  begin(record: JobRecord, attempt: number, ledger: Ledger): void {
    this.runs.set(record.id, new JobRun(record, attempt, ledger));
  }

  /** What is known of a job between the start and the end of an attempt. */
  run(jobId: string): JobRun | null {
    return this.runs.get(jobId) ?? null;
  }

  state({ jobId, state, reason }: Effect<'jobState'>): void {
    const run = this.runs.get(jobId);
    if (run === undefined) return;
    const { attempt } = run;
    if (state === 'running') run.startedAt ??= new Date().toISOString();
    run.isWaiting = state === 'waiting';
    const { startedAt, stopped, isWaiting } = run;
    const fields = isWaiting
      ? { state, reason, startedAt, workers: [], progress: stopped }
      : { state, reason, startedAt };
    this.change(jobId, { fields, event: { type: 'state', state, reason, attempt } });
  }

  generation({ fence, workers, step, reason }: Effect<'generationStarted'>): void {
    const { jobId, attempt, generation } = fence;
    const run = this.runs.get(jobId);
    if (run === undefined) return;
    const { ledger } = run;
    ledger.begin(fence, step);
    run.rankTimes.restart();
    this.change(jobId, {
      fields: { generation, workers: [...workers] },
      ledger: ledger.takeChange(),
      event: { type: 'generation', attempt, generation, workers: [...workers], step, reason },
    });
    this.tellFindings(jobId, ledger);
  }

  step({ fence, metrics }: Effect<'stepCommitted'>): void {
    const { jobId } = fence;
    const run = this.runs.get(jobId);
    if (run === undefined) return;
    const { ledger } = run;
    const hasEpochEnded = ledger.commit(fence, metrics);
    const timeMs = Date.now();
    this.change(
      jobId,
      {
        fields: { progress: run.observeStep(metrics), lastStep: metrics },
        step: { ...metrics, timeMs },
        ranks: run.rankTimes.take(metrics.step, timeMs),
        ledger: ledger.takeChange(),
        event: { type: 'step', metrics },
      },
      // Within an epoch the next step's entry holds all that this one says of the ledger.
      { isMetric: !hasEpochEnded },
    );
    this.tellFindings(jobId, ledger);
    this.tellSkipped(jobId, metrics);
  }

  evaluation({ fence, result }: Effect<'evaluationDone'>): void {
    const bestAccuracy = this.runs.get(fence.jobId)?.observeEvaluation(result) ?? null;
    if (bestAccuracy === null) return;
    this.change(fence.jobId, {
      fields: { lastEvaluation: result, bestAccuracy },
      evaluation: result,
      event: { type: 'evaluation', result },
    });
  }

  layers({ fence, layers, statistics }: Effect<'layersProbed'>): void {
    const { jobId, attempt } = fence;
    const { store, writes } = this.parts;
    const write = () => store.histories.addLayers(jobId, { attempt, layers, statistics });
    if (this.runs.has(jobId)) writes.add(jobId, write, { isMetric: true });
  }

  checkpoint({ jobId }: Fence, { step, bytes, modelSha256, best }: StoredCheckpoint): void {
    const run = this.runs.get(jobId);
    if (run === undefined) return;
    const progress = run.observeCheckpoint(step);
    this.change(jobId, {
      fields: { progress },
      event: { type: 'checkpoint', step, bytes, modelSha256, best },
    });
  }

  /** A line for those who follow the job. */
  tell(jobId: string, level: LogLevel, message: string): void {
    this.change(jobId, { event: { type: 'log', level, message } });
  }

  straggler(jobId: string, state: 'slow' | 'recovered', straggler: Straggler): void {
    this.change(jobId, { event: { type: 'straggler', state, ...straggler } });
  }

  fault({ id, jobId, state, fault, workerId }: FaultView): void {
    this.change(jobId, { event: { type: 'fault', faultId: id, state, fault, workerId } });
  }

  /** The job goes back to the queue when it may be tried again, else it has failed. */
  attemptFailed({ jobId, reason, retryable }: Effect<'attemptFailed'>): void {
    const run = this.runs.get(jobId);
    if (run === undefined) return;
    const { attempt, attemptsMade, retries } = run;
    const delayMs = retryable ? retryDelayMs(retries, attemptsMade) : null;
    if (delayMs === null) {
      this.end(jobId, run, 'failed', reason, {});
      return;
    }
    const why = `attempt ${attempt} failed: ${reason}; the next begins in ${delayMs} ms`;
    this.change(jobId, {
      fields: { state: 'pending', reason: why, workers: [], progress: run.stopped },
      event: { type: 'state', state: 'pending', reason: why, attempt },
    });
    this.runs.delete(jobId);
    const { writes, queue } = this.parts;
    writes.add(jobId, () => queue.requeue(jobId, delayMs));
  }

  succeeded({ jobId, modelSha256 }: Effect<'jobFinished'>): void {
    const run = this.runs.get(jobId);
    if (run === undefined) return;
    this.end(jobId, run, 'succeeded', 'all steps are done', {
      modelSha256,
      progress: run.succeeded,
    });
  }

  cancelled({ jobId }: Effect<'jobCancelled'>): void {
    const run = this.runs.get(jobId);
    if (run !== undefined) this.end(jobId, run, 'cancelled', 'cancelled by a user', {});
  }

  /** The attempt ends without a failure: it does not count as one of those that may be made. */
  paused({ jobId }: Effect<'jobPaused'>): void {
    const run = this.runs.get(jobId);
    if (run === undefined) return;
    const { attempt, attemptsMade, stopped } = run;
    const [state, reason] = ['paused', 'paused by a user'] as const;
    const attemptsBefore = attempt - attemptsMade + 1;
    this.change(jobId, {
      fields: { workers: [], progress: stopped, state, reason, attemptsBefore },
      event: { type: 'state', state, reason, attempt },
    });
    this.runs.delete(jobId);
  }

  private tellSkipped(jobId: string, { step, skipped }: StepMetrics): void {
    if (skipped === undefined) return;
    const { lanes, tensors, numTensors, numSkipped } = skipped;
    const more = numTensors > tensors.length ? ', ...' : '';
    this.tell(
      jobId,
      'warn',
      `NON_FINITE_GRADIENT: step ${step} is skipped, the ${numSkipped}. of this job: NaN or infinity ` +
        `in lane ${lanes.join(', ')}, in ${tensors.join(', ')}${more}`,
    );
  }

  private tellFindings(jobId: string, ledger: Ledger): void {
    for (const { epoch, problems } of ledger.takeFindings()) {
      this.parts.log.error(
        { jobId, epoch, problems },
        'samples of an epoch are not used once each',
      );
      this.tell(jobId, 'error', `epoch ${epoch} is not exact: ${problems.join('; ')}`);
    }
  }

  private end(
    jobId: string,
    run: JobRun,
    state: 'succeeded' | 'failed' | 'cancelled',
    reason: string,
    fields: NonNullable<JobChange['fields']>,
  ): void {
    const finishedAt = new Date().toISOString();
    this.change(jobId, {
      fields: { workers: [], progress: run.stopped, ...fields, state, reason, finishedAt },
      event: { type: 'state', state, reason, attempt: run.attempt },
    });
    this.runs.delete(jobId);
  }

  private change(
    jobId: string,
    change: Pick<JobChange, 'fields' | 'step' | 'ranks' | 'evaluation' | 'ledger'> & {
      readonly event: NewJobEvent;
    },
    options: { isMetric?: boolean } = {},
  ): void {
    const { store, writes, onEvent, log } = this.parts;
    const attempt = this.runs.get(jobId)?.attempt;
    if (attempt === undefined) return;
    const sequence = ++this.lastSequence;
    const write = async (): Promise<void> => {
      const result = await store.change(jobId, { ...change, attempt, sequence });
      if (result.outcome === 'done') {
        onEvent({ type: change.event.type, jobId });
      } else {
        log.warn({ jobId, attempt, outcome: result.outcome }, 'a change of a job was refused');
      }
    };
    writes.add(jobId, write, options);
  }
}
