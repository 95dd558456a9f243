import { randomBytes } from 'node:crypto';
import {
  webhookViewSchema,
  type Delivery,
  type DeliveryTry,
  type JobEvent,
  type NewWebhook,
  type WebhookChange,
  type WebhookRequest,
  type WebhookTest,
  type WebhookView,
} from '@skipring/protocol';
import type {
  RunStore,
  WebhookFailures,
  WebhookRecord,
  WebhookStore,
  WorkQueue,
} from '@skipring/redis';
import type { Logger } from 'pino';
import { requireOwner, type Principal } from '../access/principal.js';
import { HttpProblem } from '../http/problem.js';
import { invalid } from '../http/validation.pipe.js';
import { PrivateAddressError, requirePublicHost } from './address-guard.js';
import { whyDead } from './dead-receiver.js';
import { MAX_IN_FLIGHT } from './receivers.js';
import { Sender } from './sender.js';

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
  readonly runs: Pick<RunStore, 'get' | 'events'>;
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
  private readonly sender: Sender;
  private readonly closing = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private turn: Promise<void> = Promise.resolve();
  /** Ends when all changes of records that were asked for are done: each sees the one before. */
  private changes: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: WebhooksParts) {
    this.sender = new Sender({ ...parts, onFailure: (...failure) => this.judge(...failure) });
  }

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
    this.closing.abort();
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
    if (this.known.length === 0)
      await store.setTold((await runs.events.lastStateChange()) ?? BEGINNING);
    const record: WebhookRecord = {
      ...request,
      owner: principal.name,
      ofAllJobs: principal.role === 'admin',
      createdAt: new Date().toISOString(),
      rotatedAt: null,
      disabled: null,
      secret: newSecret(),
      previous: null,
    };
    if (!(await store.create(record.name, record))) {
      throw new HttpProblem('WEBHOOK_EXISTS', `there is a webhook ${record.name} already`);
    }
    this.known = await store.list();
    log.info({ webhook: record.name, owner: record.owner }, 'webhook registered');
    return newViewOf(record);
  }

  /** One's own, of an admin all. */
  list({ name, role }: Principal): WebhookView[] {
    return this.known.filter(({ owner }) => role === 'admin' || owner === name).map(viewOf);
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
    this.owned(name, principal);
    const until = new Date(Date.now() + overlapMs).toISOString();
    const record = await this.update(name, (before) => ({
      ...before,
      rotatedAt: new Date().toISOString(),
      secret: newSecret(),
      previous: overlapMs === 0 ? null : { secret: before.secret, until },
    }));
    return newViewOf(record);
  }

  /**
   * Changes where and of what a webhook is told, or whether it is told at all.
   * @throws HttpProblem WEBHOOK_UNKNOWN, FORBIDDEN, REQUEST_INVALID for an address of a private network
   */
  async change(
    name: string,
    { url, states, enabled }: WebhookChange,
    principal: Principal,
  ): Promise<WebhookView> {
    this.owned(name, principal);
    if (url !== undefined && !this.parts.allowPrivate) requirePublic(url);
    const since = new Date().toISOString();
    const record = await this.update(name, (before) => ({
      ...before,
      url: url ?? before.url,
      states: states ?? before.states,
      disabled:
        enabled === true
          ? null
          : enabled === false
            ? (before.disabled ?? { reason: `disabled by ${principal.name}`, since })
            : before.disabled,
    }));
    // What failed before says nothing about another receiver, or one that is back.
    if (url !== undefined || enabled === true) await this.sender.forget(name);
    return viewOf(record);
  }

  /**
   * Sends a test delivery at once, also to a webhook that is disabled.
   * @throws HttpProblem WEBHOOK_UNKNOWN, FORBIDDEN, WEBHOOK_BUSY
   */
  async test(name: string, principal: Principal): Promise<WebhookTest> {
    return this.sender.test(this.owned(name, principal), this.closing.signal);
  }

  /** Throws HttpProblem WEBHOOK_UNKNOWN, FORBIDDEN. */
  async remove(name: string, principal: Principal): Promise<void> {
    const record = this.owned(name, principal);
    await this.parts.store.remove(record.name);
    this.known = await this.parts.store.list();
    await this.sender.forget(record.name);
  }

  /** One after another: a change of what another has just read would be lost. */
  private update(
    name: string,
    change: (before: WebhookRecord) => WebhookRecord,
  ): Promise<WebhookRecord> {
    const { store } = this.parts;
    const changed = this.changes.then(async () => {
      const before = await store.get(name);
      if (before === null) throw unknownWebhook(name);
      const record = change(before);
      if (!(await store.replace(name, record))) throw unknownWebhook(name);
      this.known = await store.list();
      return record;
    });
    this.changes = changed.catch(() => undefined);
    return changed;
  }

  /** Disables a webhook whose receiver has failed for too long. */
  private async judge(name: string, failures: WebhookFailures): Promise<void> {
    const reason = whyDead(failures);
    const known = this.known.find((webhook) => webhook.name === name);
    if (reason === null || known?.disabled !== null) return;
    const disabled = { reason, since: new Date().toISOString() };
    await this.update(name, (before) => ({ ...before, disabled }));
    this.parts.log.warn({ webhook: name, owner: known.owner, reason }, 'webhook disabled');
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
      const changes = await runs.events.stateChanges(told, PAGE);
      for (const change of changes) {
        if (change.type === 'state') await this.tell(change, numWaiting >= MANY_WAITING);
        told = change.id;
      }
      if (changes.length > 0) await store.setTold(told);
      if (changes.length < PAGE || this.timer === null) return;
    }
  }

  private async tell(change: StateEvent, isCrowded: boolean): Promise<void> {
    const { runs, queue } = this.parts;
    const { jobId, state, reason, attempt, time } = change;
    // What was before the webhook is not its news.
    const asked = this.known.filter(
      ({ states, disabled, createdAt }) =>
        states.includes(state) && disabled === null && time >= createdAt,
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
      if (isCrowded && this.sender.isFailing(webhook.name)) {
        await this.sender.drop(webhook.name, delivery);
      } else await queue.add(id, { webhook: webhook.name, delivery });
    }
  }

  private async send({ webhook, delivery }: WebhookEntry, signal: AbortSignal): Promise<void> {
    const record = this.known.find(({ name }) => name === webhook);
    if (record?.disabled === null) await this.sender.send(record, delivery, signal);
    // It was removed or disabled meanwhile.
    else this.sender.skip(webhook, delivery);
  }
}

function viewOf(record: WebhookRecord): WebhookView {
  const enabled = record.disabled === null;
  return webhookViewSchema.strip().parse({ ...record, enabled });
}

function newViewOf(record: WebhookRecord): NewWebhook {
  return { ...viewOf(record), secret: record.secret };
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
