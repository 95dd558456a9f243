import { randomBytes } from 'node:crypto';
import {
  newWebhookSchema,
  webhookViewSchema,
  type Delivery,
  type DeliveryTry,
  type JobEvent,
  type NewWebhook,
  type WebhookRequest,
  type WebhookView,
} from '@skipring/protocol';
import {
  EntryPostponed,
  type RunStore,
  type WebhookRecord,
  type WebhookStore,
  type WorkQueue,
} from '@skipring/redis';
import type { Logger } from 'pino';
import { requireOwner, type Principal } from '../access/principal.js';
import { HttpProblem } from '../http/problem.js';
import { invalid } from '../http/validation.pipe.js';
import { PrivateAddressError, requirePublicHost } from './address-guard.js';
import { deliver, DeliveryRefused } from './deliver.js';
import { MAX_IN_FLIGHT, Receivers } from './receivers.js';

const INTERVAL_MS = 500;
/** Changes that are read at once. */
const PAGE = 200;
const MAX_WEBHOOKS = 100;
/** Deliveries at the same time: as many as no receiver can keep from another. */
export const NUM_DELIVERIES = MAX_WEBHOOKS * MAX_IN_FLIGHT;
/** Above this number of waiting deliveries, those to receivers that fail are dropped. */
const MANY_WAITING = 10_000;
/** Above this one nothing is added: changes wait in the store. */
const MOST_WAITING = 2 * MANY_WAITING;
/** Before any change of state. */
const BEGINNING = '0-0';

type StateEvent = Extract<JobEvent, { type: 'state' }>;

/** A delivery that waits in the queue. */
export interface WebhookEntry {
  readonly webhook: string;
  readonly delivery: Delivery;
}

export interface WebhooksParts {
  readonly store: WebhookStore;
  readonly runs: Pick<RunStore, 'get' | 'stateChanges' | 'lastStateChange'>;
  readonly queue: WorkQueue<WebhookEntry>;
  /** Whether addresses of private networks may be called. */
  readonly allowPrivate: boolean;
  readonly log: Logger;
}

/**
 * Tells webhooks of changes of jobs. Each change is stored with a note in one stream; they are read
 * behind the last one that was told, so a restart loses none and training never waits for a receiver.
 * The queue tries each delivery again, less and less often, for about three days.
 */
export class WebhooksService {
  private known: readonly WebhookRecord[] = [];
  /** Those whose last try failed. */
  private readonly failing = new Set<string>();
  private readonly receivers = new Receivers();
  private timer: NodeJS.Timeout | null = null;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly parts: WebhooksParts) {}

  /** Goes on with what was not told when the coordinator stopped. */
  async start(): Promise<void> {
    this.known = await this.parts.store.list();
    this.parts.queue.start((entry, signal) => this.send(entry, signal));
    this.timer ??= setInterval(() => {
      this.turn = this.turn.then(() => this.look());
    }, INTERVAL_MS);
  }

  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await this.turn;
  }

  /**
   * @throws HttpProblem WEBHOOK_EXISTS, TOO_MANY_WEBHOOKS, REQUEST_INVALID for an address of a private
   *   network
   */
  async create(request: WebhookRequest, principal: Principal): Promise<NewWebhook> {
    const { store, runs, allowPrivate, log } = this.parts;
    if (!allowPrivate) requirePublic(request.url);
    if (this.known.length >= MAX_WEBHOOKS) {
      throw new HttpProblem('TOO_MANY_WEBHOOKS', `there are ${MAX_WEBHOOKS} webhooks`);
    }
    // While there is no webhook nothing is read: begin at the present.
    if (this.known.length === 0) await store.setTold((await runs.lastStateChange()) ?? BEGINNING);
    const record: WebhookRecord = {
      ...request,
      owner: principal.name,
      ofAllJobs: principal.role === 'admin',
      createdAt: new Date().toISOString(),
      rotatedAt: null,
      secret: newSecret(),
      previous: null,
    };
    if (!(await store.create(record.name, record))) {
      throw new HttpProblem('WEBHOOK_EXISTS', `there is a webhook ${record.name} already`);
    }
    this.known = await store.list();
    log.info({ webhook: record.name, owner: record.owner }, 'webhook registered');
    return newWebhookSchema.strip().parse(record);
  }

  /** One's own, of an admin all. */
  list({ name, role }: Principal): WebhookView[] {
    return this.known
      .filter(({ owner }) => role === 'admin' || owner === name)
      .map((record) => webhookViewSchema.strip().parse(record));
  }

  /** The newest tries to deliver. Throws HttpProblem WEBHOOK_UNKNOWN, FORBIDDEN. */
  async tries(name: string, principal: Principal): Promise<DeliveryTry[]> {
    return this.parts.store.tries(this.owned(name, principal).name);
  }

  /**
   * Gives a webhook a new secret; for `overlapMs` more the old one signs beside it.
   * @throws HttpProblem WEBHOOK_UNKNOWN, FORBIDDEN
   */
  async rotate(name: string, overlapMs: number, principal: Principal): Promise<NewWebhook> {
    const { store } = this.parts;
    const before = this.owned(name, principal);
    const until = new Date(Date.now() + overlapMs).toISOString();
    const record: WebhookRecord = {
      ...before,
      rotatedAt: new Date().toISOString(),
      secret: newSecret(),
      previous: overlapMs === 0 ? null : { secret: before.secret, until },
    };
    if (!(await store.replace(name, record))) throw unknownWebhook(name);
    this.known = await store.list();
    return newWebhookSchema.strip().parse(record);
  }

  /** Throws HttpProblem WEBHOOK_UNKNOWN, FORBIDDEN. */
  async remove(name: string, principal: Principal): Promise<void> {
    const record = this.owned(name, principal);
    await this.parts.store.remove(record.name);
    this.failing.delete(record.name);
    this.known = await this.parts.store.list();
  }

  private owned(name: string, principal: Principal): WebhookRecord {
    const record = this.known.find((webhook) => webhook.name === name);
    if (record === undefined) throw unknownWebhook(name);
    requireOwner(principal, record.owner, `webhook ${name}`);
    return record;
  }

  private async look(): Promise<void> {
    if (this.known.length === 0) return;
    try {
      await this.tellChanges();
    } catch (error) {
      this.parts.log.warn({ err: error }, 'changes of jobs are told to webhooks later');
    }
  }

  private async tellChanges(): Promise<void> {
    const { store, runs, queue } = this.parts;
    let told = (await store.told()) ?? BEGINNING;
    for (;;) {
      const { waiting, delayed, active } = await queue.counts();
      const numWaiting = waiting + delayed + active;
      if (numWaiting >= MOST_WAITING) return;
      const changes = await runs.stateChanges(told, PAGE);
      for (const change of changes) {
        if (change.type === 'state') await this.tell(change, numWaiting >= MANY_WAITING);
        told = change.id;
      }
      if (changes.length > 0) await store.setTold(told);
      if (changes.length < PAGE || this.timer === null) return;
    }
  }

  private async tell(change: StateEvent, isCrowded: boolean): Promise<void> {
    const { store, runs, queue } = this.parts;
    const { jobId, state, reason, attempt, time } = change;
    // What was before the webhook is not its news.
    const asked = this.known.filter(
      (webhook) => webhook.states.includes(state) && time >= webhook.createdAt,
    );
    const record = asked.length === 0 ? null : await runs.get(jobId);
    if (record === null) return;
    const { owner } = record;
    for (const webhook of asked) {
      if (!webhook.ofAllJobs && webhook.owner !== owner) continue;
      const id = `${webhook.name}-${change.id}`;
      const delivery = {
        id,
        jobId,
        jobName: record.spec.name,
        owner,
        state,
        reason,
        attempt,
        time,
      };
      if (isCrowded && this.failing.has(webhook.name)) {
        await store.addTry(webhook.name, {
          ...tried(delivery, performance.now()),
          outcome: 'dropped',
          status: null,
          error: 'too many deliveries wait for a receiver that fails',
        });
      } else await queue.add(id, { webhook: webhook.name, delivery });
    }
  }

  private async send({ webhook, delivery }: WebhookEntry, signal: AbortSignal): Promise<void> {
    const { store, allowPrivate } = this.parts;
    const record = this.known.find(({ name }) => name === webhook);
    // It was removed meanwhile.
    if (record === undefined) {
      this.receivers.forget(delivery.id);
      this.failing.delete(webhook);
      return;
    }
    const { url } = record;
    const waitMs = this.receivers.begin(url, delivery.id);
    if (waitMs !== null) throw new EntryPostponed(waitMs);
    const startedMs = performance.now();
    try {
      const target = { url, secrets: secretsOf(record), allowPrivate, signal };
      const status = await deliver(target, delivery);
      this.failing.delete(webhook);
      const outcome = 'delivered';
      await store.addTry(webhook, { ...tried(delivery, startedMs), outcome, status, error: null });
    } catch (error) {
      if (signal.aborted) throw error;
      this.failing.add(webhook);
      await store.addTry(webhook, {
        ...tried(delivery, startedMs),
        outcome: 'failed',
        status: error instanceof DeliveryRefused ? error.status : null,
        error: (error instanceof Error ? error.message : String(error)).slice(0, 200),
      });
      throw error;
    } finally {
      this.receivers.end(url, performance.now() - startedMs);
    }
  }
}

function tried(
  { id, jobId, state }: Delivery,
  startedMs: number,
): Pick<DeliveryTry, 'id' | 'jobId' | 'state' | 'time' | 'tookMs'> {
  const tookMs = Math.round(performance.now() - startedMs);
  return { id, jobId, state, time: new Date().toISOString(), tookMs };
}

/** Those that sign now, the newest first. */
function secretsOf({ secret, previous }: WebhookRecord): string[] {
  const isOver = previous === null || Date.parse(previous.until) <= Date.now();
  return isOver ? [secret] : [secret, previous.secret];
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64url')}`;
}

function unknownWebhook(name: string): HttpProblem {
  return new HttpProblem('WEBHOOK_UNKNOWN', `no webhook ${name.slice(0, 100)}`);
}

function requirePublic(url: string): void {
  try {
    requirePublicHost(new URL(url).hostname);
  } catch (error) {
    if (!(error instanceof PrivateAddressError)) throw error;
    const expected = 'an address of the internet, not of a private network';
    throw invalid([{ field: '/url', value: JSON.stringify(url).slice(0, 200), expected }]);
  }
}
