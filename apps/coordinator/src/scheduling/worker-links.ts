import type { CoordinatorMetrics } from '@skipring/metrics';
import { Throughput, type CoordinatorMessage } from '@skipring/protocol';
import type { Logger } from 'pino';
import type { WorkerLink } from './ports.js';

interface Linked {
  readonly link: WorkerLink;
  throughput: Throughput;
}

/** The connections of workers, one each, with how fast each worker trains. */
export class WorkerLinks {
  private readonly linked = new Map<string, Linked>();

  constructor(
    private readonly metrics: Pick<CoordinatorMetrics, 'removeWorker'>,
    private readonly log: Logger,
  ) {}

  has(workerId: string): boolean {
    return this.linked.has(workerId);
  }

  /** Whether this is the worker's newest connection. */
  isCurrent(workerId: string, link: WorkerLink): boolean {
    return this.linked.get(workerId)?.link === link;
  }

  /** From now on the worker is reached over this connection; an older one is closed. */
  add(workerId: string, link: WorkerLink): void {
    const older = this.linked.get(workerId);
    this.linked.set(workerId, { link, throughput: new Throughput() });
    older?.link.close('the worker connected anew');
  }

  send(workerId: string, message: CoordinatorMessage): void {
    this.linked.get(workerId)?.link.send(message);
  }

  disconnect(workerId: string, reason: string): void {
    this.log.warn({ workerId, reason }, 'worker declared dead');
    const linked = this.linked.get(workerId);
    this.forget(workerId);
    linked?.link.close(reason);
  }

  forget(workerId: string): void {
    if (this.linked.delete(workerId)) void this.metrics.removeWorker(workerId);
  }

  /** The worker begins a generation: its lanes may be others than before. */
  restartThroughput(workerId: string): void {
    const linked = this.linked.get(workerId);
    if (linked !== undefined) linked.throughput = new Throughput();
  }

  observe(workerId: string, samples: number, stepMs: number): void {
    this.linked.get(workerId)?.throughput.observe(samples, stepMs);
  }

  /** Of the newest generation that it trained in, also after that ended. */
  imagesPerSecond(workerId: string): number {
    return this.linked.get(workerId)?.throughput.imagesPerSecond ?? 0;
  }
}
