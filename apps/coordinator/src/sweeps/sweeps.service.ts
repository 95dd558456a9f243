import { randomBytes } from 'node:crypto';
import { advance, bestTrial, firstTrials, trialSpec } from '@skipring/cluster';
import {
  hasTrialEnded,
  jobSpecSchema,
  type JobView,
  type SweepSpec,
  type SweepView,
  type Trial,
} from '@skipring/protocol';
import type { SweepRecord, SweepStore } from '@skipring/redis';
import type { Logger } from 'pino';
import { requireOwner, type Principal } from '../access/principal.js';
import { problemOf } from '../http/problem-of.js';
import { HttpProblem } from '../http/problem.js';
import { validated } from '../http/validation.pipe.js';
import type { Admission } from '../jobs/admission.js';
import { idempotencyOf } from '../jobs/idempotency.js';
import type { JobsService } from '../jobs/jobs.service.js';

const INTERVAL_MS = 1_000;

export interface SweepsParts {
  readonly store: SweepStore;
  readonly jobs: Pick<JobsService, 'submit' | 'find' | 'cancel'>;
  readonly admission: Pick<Admission, 'atSubmission'>;
  readonly log: Logger;
}

/**
 * Fills the queue with the trials of sweeps, a few at a time. All that a sweep has come to is in the
 * store, and each trial is submitted under a key of its own, so a restart loses and repeats nothing.
 */
export class SweepsService {
  private timer: NodeJS.Timeout | null = null;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly parts: SweepsParts) {}

  start(): void {
    this.timer ??= setInterval(() => {
      this.turn = this.turn.then(() => this.lookAtAll());
    }, INTERVAL_MS);
  }

  /** Begins nothing more, and waits for what is under way. */
  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await this.turn;
  }

  /**
   * Stores a sweep; its trials are submitted from the next moment on. With a known idempotency key
   * nothing new is made and the sweep of the first submission comes back.
   * @throws HttpProblem REQUEST_INVALID when the job of a trial can't be submitted, DATA_SET_UNKNOWN,
   *   IDEMPOTENCY_KEY_INVALID; StoreError IDEMPOTENCY_KEY_REUSED
   */
  async submit(
    spec: SweepSpec,
    { name: owner, limits }: Principal,
    idempotencyKey: string | undefined,
  ): Promise<{ sweep: SweepView; created: boolean }> {
    const idempotency = idempotencyOf(idempotencyKey, owner, spec);
    const trials = firstTrials(spec);
    for (const trial of trials) {
      const job = validated(jobSpecSchema, trialSpec(spec, trial), '/job');
      await this.parts.admission.atSubmission(job);
    }
    const time = Date.now().toString(36).padStart(9, '0');
    const record: SweepRecord = {
      id: `sweep-${time}${randomBytes(5).toString('hex')}`,
      ...{ name: spec.name, owner, limits, spec, trials },
      state: 'running',
      createdAt: new Date().toISOString(),
      finishedAt: null,
    };
    const { id, created } = await this.parts.store.submit(record, idempotency);
    if (!created) return { sweep: await this.get(id), created };
    this.parts.log.info({ sweepId: id, numTrials: trials.length }, 'sweep submitted');
    return { sweep: viewOf(record), created };
  }

  /** Newest first. */
  async list(): Promise<SweepView[]> {
    return (await this.parts.store.list()).map(viewOf).reverse();
  }

  /** Throws HttpProblem SWEEP_UNKNOWN. */
  async get(id: string): Promise<SweepView> {
    return viewOf(await this.record(id));
  }

  /**
   * Submits no more trials and cancels those that are open.
   * @throws HttpProblem SWEEP_UNKNOWN, SWEEP_FINAL, FORBIDDEN
   */
  async cancel(id: string, principal: Principal): Promise<SweepView> {
    let record: SweepRecord | null = null;
    const cancelling = this.turn.then(async () => {
      const before = await this.record(id);
      requireOwner(principal, before.owner, `sweep ${id}`);
      if (before.state !== 'running') {
        throw new HttpProblem(
          'SWEEP_FINAL',
          `sweep ${id} has ended already: it is ${before.state}`,
        );
      }
      record = { ...before, state: 'cancelled', finishedAt: new Date().toISOString() };
      await this.parts.store.replace(id, record);
      for (const { jobId } of before.trials.filter((trial) => !hasTrialEnded(trial))) {
        if (jobId === null) continue;
        await this.parts.jobs.cancel(jobId, principal).catch((error: unknown) => {
          // It may have ended by itself meanwhile, and been deleted.
          if (!['JOB_FINAL', 'JOB_UNKNOWN'].includes(problemOf(error).code)) throw error;
        });
      }
    });
    // The next look waits until the cancel is stored: it would submit more.
    this.turn = cancelling.catch(() => undefined);
    await cancelling;
    return this.get(id);
  }

  /** Ids of sweeps that have more to do and train on a data set. */
  async runningOn(dataSet: string): Promise<string[]> {
    const records = await this.parts.store.list();
    return records
      .filter(({ state, spec, trials }) => {
        const specs = state === 'running' ? trials.map((trial) => trialSpec(spec, trial)) : [];
        return specs.some((job) => jobSpecSchema.safeParse(job).data?.data.dataSet === dataSet);
      })
      .map(({ id }) => id);
  }

  private async lookAtAll(): Promise<void> {
    const { store, log } = this.parts;
    try {
      for (const record of await store.list()) {
        const isOpen = record.state === 'running' || record.trials.some(isUnderWay);
        if (isOpen) await this.lookAt(record);
      }
    } catch (error) {
      log.warn({ err: error }, 'sweeps are looked at again');
    }
  }

  private async lookAt(before: SweepRecord): Promise<void> {
    const { store } = this.parts;
    const seen = await Promise.all(before.trials.map((trial) => this.follow(before, trial)));
    const { trials, toSubmit, isDone } = advance(before.spec, seen);
    const isRunning = before.state === 'running';
    const submitted = new Map<Trial, Trial>();
    if (isRunning) {
      for (const trial of toSubmit) submitted.set(trial, await this.submitTrial(before, trial));
    }
    const next: SweepRecord = {
      ...before,
      trials: isRunning ? trials.map((trial) => submitted.get(trial) ?? trial) : seen,
      ...(isRunning && isDone
        ? { state: 'done' as const, finishedAt: new Date().toISOString() }
        : {}),
    };
    if (JSON.stringify(next) !== JSON.stringify(before)) await store.replace(before.id, next);
  }

  /** The trial with what has become of its job. */
  private async follow({ spec }: SweepRecord, trial: Trial): Promise<Trial> {
    if (!isUnderWay(trial) || trial.jobId === null) return trial;
    const job = await this.parts.jobs.find(trial.jobId);
    // Only what has ended is deleted; how it ended is not known any more.
    if (job === null) return { ...trial, state: 'cancelled', reason: 'its job was deleted' };
    const { state, reason, lastEvaluation } = job;
    const score = state === 'succeeded' ? (lastEvaluation?.[spec.objective] ?? null) : null;
    return { ...trial, state, reason, score };
  }

  private async submitTrial(sweep: SweepRecord, trial: Trial): Promise<Trial> {
    const { jobs, log } = this.parts;
    const { id, owner, limits } = sweep;
    const principal: Principal = { name: owner, role: 'submitter', limits, expiresAt: null };
    const key = `${id}-${trial.rung}-${trial.index}`;
    let job: JobView;
    try {
      const spec = validated(jobSpecSchema, trialSpec(sweep.spec, trial));
      ({ job } = await jobs.submit(spec, principal, key));
    } catch (error) {
      const { code, status, message } = problemOf(error);
      log.warn({ sweepId: id, trial: trial.index, code, reason: message }, 'trial not submitted');
      // A quota may have room later, the store may come back.
      if (code === 'QUOTA_EXCEEDED' || status >= 500) return { ...trial, reason: message };
      return { ...trial, state: 'refused', reason: message };
    }
    return { ...trial, jobId: job.id, state: job.state, reason: job.reason };
  }

  private async record(id: string): Promise<SweepRecord> {
    const record = /^sweep-[0-9a-z]{1,60}$/.test(id) ? await this.parts.store.get(id) : null;
    if (record === null) throw new HttpProblem('SWEEP_UNKNOWN', `no sweep ${id.slice(0, 100)}`);
    return record;
  }
}

function isUnderWay(trial: Trial): boolean {
  return trial.jobId !== null && !hasTrialEnded(trial);
}

function viewOf(record: SweepRecord): SweepView {
  const { id, name, owner, state, createdAt, finishedAt, spec, trials } = record;
  const best = bestTrial(spec, trials);
  return { id, name, owner, state, createdAt, finishedAt, spec, trials, best };
}
