import {
  FaultBook,
  type ClusterEffect,
  type JobSnapshot,
  type WorkerSnapshot,
} from '@skipring/cluster';
import type {
  CoordinatorMessage,
  Fence,
  FaultRequest,
  FaultView,
  WorkerMessage,
} from '@skipring/protocol';
import type { Logger } from 'pino';
import { HttpProblem } from '../http/problem.js';

/** What the desk needs of the scheduler. */
export interface FaultPorts {
  job(jobId: string): JobSnapshot | null;
  workers(): readonly WorkerSnapshot[];
  send(workerId: string, message: CoordinatorMessage): void;
  /** Tells the job's followers. */
  tell(fault: FaultView): void;
  readonly log: Logger;
}

/** Takes faults from users, hands them to the workers that they are for, and sees what comes of them. */
export class FaultDesk {
  private readonly book = new FaultBook(() => Date.now());

  constructor(private readonly ports: FaultPorts) {}

  list(): FaultView[] {
    return this.book.list();
  }

  /** Throws HttpProblem JOB_UNKNOWN, FAULT_REFUSED or TOO_MANY_FAULTS. */
  arm(request: FaultRequest): FaultView {
    const { jobId, fault } = request;
    if (this.ports.job(jobId) === null) {
      throw new HttpProblem(
        'JOB_UNKNOWN',
        `job ${jobId} is not with the scheduler: it takes no faults`,
      );
    }
    const worker = fault.kind === 'fillDisk' ? undefined : this.workerAt(jobId, fault.rank);
    if (worker?.hello.takesFaults === false) {
      const detail = `worker ${worker.id} takes no faults: start it with SKIPRING_FAULTS=1`;
      throw new HttpProblem('FAULT_REFUSED', detail);
    }
    const view = this.book.arm(request);
    if (view === null)
      throw new HttpProblem('TOO_MANY_FAULTS', 'cancel some of those that are armed');
    this.tell(view);
    this.resend(view);
    return view;
  }

  /** Throws HttpProblem FAULT_UNKNOWN or FAULT_OVER. */
  cancel(id: string): FaultView {
    const known = this.book.get(id);
    if (known === null) throw new HttpProblem('FAULT_UNKNOWN', `there is no fault ${id}`);
    const view = this.book.cancel(id);
    if (view === null) throw new HttpProblem('FAULT_OVER', `fault ${id} is ${known.state}`);
    this.tell(view);
    this.resend(view);
    return view;
  }

  /** Throws as a full disk does, when a fault says so. */
  beforeCheckpoint({ jobId }: Fence, step: number): void {
    const view = this.book.strikeDisk(jobId, step);
    if (view === null) return;
    this.tell(view);
    throw Object.assign(new Error(`ENOSPC: no space left on device (${view.id})`), {
      code: 'ENOSPC',
    });
  }

  /** To be told of every message of a worker. */
  receive(workerId: string, message: Exclude<WorkerMessage, { type: 'hello' }>): void {
    switch (message.type) {
      case 'faultFired': {
        const { id, fence } = message;
        const members = this.ports.job(fence.jobId)?.workers ?? [];
        const view = this.book.fired(id, fence, workerId, members);
        if (view !== null) this.tell(view);
        return;
      }
      case 'aborted':
      case 'ready':
        this.book.left(workerId, message.fence, message.type === 'aborted');
        return;
      default:
        return;
    }
  }

  /** To be told of every effect of the cluster, after it was carried out. */
  follow(effect: ClusterEffect): void {
    switch (effect.type) {
      case 'send':
        if (effect.message.type === 'prepare') {
          const { fence, rank } = effect.message;
          this.hand(effect.workerId, fence, rank);
        }
        return;
      case 'stepCommitted':
        this.book.committed(effect.fence);
        return;
      case 'attemptFailed':
      case 'jobFinished':
      case 'jobCancelled':
        this.book.ended(effect.jobId);
        return;
      default:
        return;
    }
  }

  /** The worker at the rank of a fault is told of what it has now. */
  private resend({ jobId, fault }: FaultView): void {
    if (fault.kind === 'fillDisk') return;
    const worker = this.workerAt(jobId, fault.rank);
    const fence = this.ports.job(jobId)?.fence ?? null;
    if (worker !== undefined && fence !== null) this.hand(worker.id, fence, fault.rank, true);
  }

  private hand(workerId: string, fence: Fence, rank: number, isChange = false): void {
    const faults = this.book.forRank(fence.jobId, rank);
    if (faults.length > 0 || isChange) {
      this.ports.send(workerId, { type: 'faults', fence, faults });
    }
  }

  private workerAt(jobId: string, rank: number): WorkerSnapshot | undefined {
    return this.ports.workers().find((worker) => worker.jobId === jobId && worker.rank === rank);
  }

  private tell(view: FaultView): void {
    const { log } = this.ports;
    log.warn(
      { jobId: view.jobId, fault: view.fault, workerId: view.workerId },
      `fault ${view.state}`,
    );
    this.ports.tell(view);
  }
}
