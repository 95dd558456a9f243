import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, ConnectionError, type SkipringClient } from '@skipring/client';
import {
  finalJobStates,
  type FaultView,
  type JobSpecInput,
  type JobView,
} from '@skipring/protocol';
import { aimed, isBreaking, type Disturbance } from './plan.js';
import type { DisturbedRun, Struck } from './report.js';

const POLL_MS = 100;
/** A coordinator that was killed is back and leads again by then. */
const PATIENCE_MS = 60_000;
/** For a fault to strike, and for training to go on behind it. */
const STRIKE_DEADLINE_MS = 30_000;
const RECOVERY_DEADLINE_MS = 60_000;

export interface DisturbOptions {
  readonly client: SkipringClient;
  readonly spec: JobSpecInput;
  /** The next disturbance; null: from now on the job is left in peace. */
  readonly next: () => Disturbance | null;
  readonly killCoordinator: () => void;
  readonly onStruck: (struck: Struck) => void;
  readonly interrupted: AbortSignal;
}

/** Trains the job while it is disturbed, one fault after the other; resolves at its end. */
export async function disturbJob(options: DisturbOptions): Promise<DisturbedRun> {
  const { client, spec, interrupted } = options;
  const idempotencyKey = `chaos-${crypto.randomUUID()}`;
  const { id } = await patiently(() => client.submit(spec, idempotencyKey));
  for (;;) {
    interrupted.throwIfAborted();
    const job = await patiently(() => client.job(id));
    if (finalJobStates.includes(job.state)) return await runOf(client, job);
    if (job.state !== 'running' || job.progress.step === 0) {
      await pause(POLL_MS);
      continue;
    }
    const disturbance = options.next();
    if (disturbance === null) {
      await pause(POLL_MS * 5);
      continue;
    }
    await pause(disturbance.pauseMs);
    await disturb(options, id, disturbance);
  }
}

async function disturb(
  { client, killCoordinator, onStruck }: DisturbOptions,
  jobId: string,
  { kind, fault }: Disturbance,
): Promise<void> {
  if (fault === null) {
    killCoordinator();
    onStruck({ kind, view: null });
    await goesOn(client, jobId);
    return;
  }
  const job = await patiently(() => client.job(jobId));
  if (finalJobStates.includes(job.state) || job.workers.length === 0) return;
  const target = aimed(fault, job.progress.step, job.workers.length);
  let view: FaultView;
  try {
    view = await client.armFault({ jobId, fault: target });
  } catch (error) {
    // The job may just have ended.
    if (error instanceof ApiError && error.status < 500) return;
    throw error;
  }
  const fired = await seen(client, view.id, ({ state }) => state !== 'armed', STRIKE_DEADLINE_MS);
  if (fired?.state !== 'fired') {
    // Of its phase none came by any more: the next one has its turn.
    await client.cancelFault(view.id).catch(() => undefined);
    return;
  }
  const isOver = ({ recoverMs }: FaultView): boolean => recoverMs !== null;
  const last = isBreaking(kind)
    ? await seen(client, view.id, isOver, RECOVERY_DEADLINE_MS, jobId)
    : fired;
  onStruck({ kind, view: last ?? fired });
}

/** The fault once `accept` takes it, or as it last was; null: nobody knows of it any more. */
async function seen(
  client: SkipringClient,
  id: string,
  accept: (view: FaultView) => boolean,
  deadlineMs: number,
  jobId?: string,
): Promise<FaultView | null> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const view = (await patiently(() => client.faults())).find((fault) => fault.id === id) ?? null;
    if (view === null || accept(view) || Date.now() > deadline) return view;
    if (jobId !== undefined) {
      const { state } = await patiently(() => client.job(jobId));
      if (finalJobStates.includes(state)) return view;
    }
    await pause(POLL_MS);
  }
}

/** A coordinator that was killed drives the job on, or the job has ended. */
async function goesOn(client: SkipringClient, jobId: string): Promise<void> {
  const before = await patiently(() => client.job(jobId));
  const deadline = Date.now() + RECOVERY_DEADLINE_MS;
  while (Date.now() < deadline) {
    const job = await patiently(() => client.job(jobId));
    if (finalJobStates.includes(job.state) || job.progress.step > before.progress.step) return;
    await pause(POLL_MS);
  }
}

async function runOf(client: SkipringClient, job: JobView): Promise<DisturbedRun> {
  const ledger = await patiently(() => client.ledger(job.id));
  return {
    jobId: job.id,
    state: job.state,
    modelSha256: job.modelSha256,
    numRedone: ledger.summary?.numRedone ?? 0,
    numAttempts: job.attempt,
    isExact: ledger.isExact,
  };
}

/** Asks again while the coordinator is away or does not lead yet. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isAway =
        error instanceof ConnectionError || (error instanceof ApiError && error.status === 503);
      if (!isAway || Date.now() > deadline) throw error;
      await pause(POLL_MS * 2);
    }
  }
}
