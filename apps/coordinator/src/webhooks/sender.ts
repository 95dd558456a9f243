import { randomBytes } from 'node:crypto';
import type { Delivery, DeliveryTry, WebhookTest } from '@skipring/protocol';
import {
  EntryPostponed,
  type WebhookFailures,
  type WebhookRecord,
  type WebhookStore,
} from '@skipring/redis';
import { HttpProblem } from '../http/problem.js';
import { deliver, DeliveryRefused } from './deliver.js';
import { failureText } from './failure-text.js';
import { Receivers } from './receivers.js';

export interface SenderParts {
  readonly store: Pick<WebhookStore, 'addTry' | 'noteFailure' | 'forgetFailures'>;
  /** Whether addresses of private networks may be called. */
  readonly allowPrivate: boolean;
  /** A try has failed, as so many before it. */
  readonly onFailure: (name: string, failures: WebhookFailures) => Promise<void>;
}

/** Calls receivers and notes what became of each try. */
export class Sender {
  /** Names of webhooks whose last try failed. */
  private readonly failing = new Set<string>();
  private readonly receivers = new Receivers();

  constructor(private readonly parts: SenderParts) {}

  isFailing(name: string): boolean {
    return this.failing.has(name);
  }

  /** The webhook begins anew, or is gone. */
  async forget(name: string): Promise<void> {
    this.failing.delete(name);
    await this.parts.store.forgetFailures(name);
  }

  /**
   * Tries to deliver.
   * @throws EntryPostponed while the receiver is busy, and what the try failed with
   */
  async send(record: WebhookRecord, delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { store, onFailure } = this.parts;
    const { name, url } = record;
    const waitMs = this.receivers.begin(url, delivery.id);
    if (waitMs !== null) throw new EntryPostponed(waitMs);
    const startedMs = performance.now();
    try {
      const status = await this.call(record, delivery, signal);
      const outcome = 'delivered';
      await store.addTry(name, { ...tried(delivery, startedMs), outcome, status, error: null });
      await this.forget(name);
    } catch (error) {
      if (signal.aborted) throw error;
      this.failing.add(name);
      await store.addTry(name, { ...tried(delivery, startedMs), ...failed(error) });
      await onFailure(name, await store.noteFailure(name));
      throw error;
    } finally {
      this.receivers.end(url, performance.now() - startedMs);
    }
  }

  /** A delivery that may have been put off is not sent: its webhook was removed or disabled. */
  skip(name: string, { id }: Delivery): void {
    this.receivers.forget(id);
    this.failing.delete(name);
  }

  /** Notes that a delivery was not tried. */
  async drop(name: string, delivery: Delivery): Promise<void> {
    await this.parts.store.addTry(name, {
      ...tried(delivery, performance.now()),
      outcome: 'dropped',
      status: null,
      error: 'too many deliveries wait for a receiver that fails',
    });
  }

  /**
   * Sends a delivery that is about no job, once, and tells what became of it. It counts neither for
   * nor against the webhook.
   * @throws HttpProblem WEBHOOK_BUSY
   */
  async test(record: WebhookRecord, signal: AbortSignal): Promise<WebhookTest> {
    const { name, url, owner, states } = record;
    if (this.receivers.isBusy(url)) {
      const detail = `as many deliveries as may be are on their way to the receiver of ${name}`;
      throw new HttpProblem('WEBHOOK_BUSY', detail, [], { 'retry-after': '1' });
    }
    const delivery: Delivery = {
      id: `${name}-test-${randomBytes(6).toString('hex')}`,
      ...{ jobId: 'job-test', jobName: 'test', owner, state: states[0] ?? 'succeeded' },
      ...{ reason: 'a test of this webhook', attempt: 0, time: new Date().toISOString() },
      test: true,
    };
    this.receivers.begin(url, delivery.id);
    const startedMs = performance.now();
    const outcome = await this.call(record, delivery, signal).then(
      (status) => ({ outcome: 'delivered' as const, status, error: null }),
      failed,
    );
    const tookMs = performance.now() - startedMs;
    this.receivers.end(url, tookMs);
    return { id: delivery.id, time: delivery.time, tookMs: Math.round(tookMs), ...outcome };
  }

  private call(record: WebhookRecord, delivery: Delivery, signal: AbortSignal): Promise<number> {
    const { allowPrivate } = this.parts;
    return deliver({ url: record.url, secrets: secretsOf(record), allowPrivate, signal }, delivery);
  }
}

function tried(
  { id, jobId, state }: Delivery,
  startedMs: number,
): Pick<DeliveryTry, 'id' | 'jobId' | 'state' | 'time' | 'tookMs'> {
  const tookMs = Math.round(performance.now() - startedMs);
  return { id, jobId, state, time: new Date().toISOString(), tookMs };
}

function failed(error: unknown): { outcome: 'failed'; status: number | null; error: string } {
  const status = error instanceof DeliveryRefused ? error.status : null;
  return { outcome: 'failed', status, error: failureText(error) };
}

/** Those that sign now, the newest first. */
function secretsOf({ secret, previous }: WebhookRecord): string[] {
  const isOver = previous === null || Date.parse(previous.until) <= Date.now();
  return isOver ? [secret] : [secret, previous.secret];
}
