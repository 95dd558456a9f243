import { deliveryTrySchema, webhookViewSchema, type DeliveryTry } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { run } from './errors.js';
import { Keys } from './keys.js';
import { NamedRecords } from './named-records.js';

/** Newest tries that are kept of each webhook. */
const MAX_TRIES = 100;

/** A webhook with the secret that signs. It must be readable, so the store has to be kept private. */
const webhookRecordSchema = z.strictObject({
  ...webhookViewSchema.omit({ enabled: true }).shape,
  disabled: webhookViewSchema.shape.disabled.default(null),
  secret: z.string(),
  /** The secret before the last rotation, while it still signs too. */
  previous: z.strictObject({ secret: z.string(), until: z.iso.datetime() }).nullable(),
});
export type WebhookRecord = z.output<typeof webhookRecordSchema>;

/** Tries that failed one after another. */
export interface WebhookFailures {
  readonly count: number;
  /** When the first of them was. */
  readonly since: string;
}

/** Webhooks by name, what became of deliveries, and which change of state was told last. */
export class WebhookStore extends NamedRecords<typeof webhookRecordSchema> {
  private readonly keys: Keys;

  constructor(
    private readonly connection: Redis,
    keyPrefix: string,
  ) {
    const keys = new Keys(keyPrefix);
    super(connection, {
      what: 'webhook',
      schema: webhookRecordSchema,
      index: keys.webhooks,
      key: (name) => keys.webhook(name),
    });
    this.keys = keys;
  }

  override async remove(name: string): Promise<boolean> {
    const wasThere = await super.remove(name);
    const { keys } = this;
    await run(() => this.connection.del(keys.deliveries(name), keys.webhookFailures(name)));
    return wasThere;
  }

  /** The id of the last change of state that was told; null: none was. */
  told(): Promise<string | null> {
    return run(() => this.connection.get(this.keys.toldChange));
  }

  async setTold(changeId: string): Promise<void> {
    await run(() => this.connection.set(this.keys.toldChange, changeId));
  }

  async addTry(name: string, entry: DeliveryTry): Promise<void> {
    const key = this.keys.deliveries(name);
    const json = JSON.stringify(entry);
    await run(() =>
      this.connection
        .multi()
        .lpush(key, json)
        .ltrim(key, 0, MAX_TRIES - 1)
        .exec(),
    );
  }

  /** One more try has failed. */
  async noteFailure(name: string): Promise<WebhookFailures> {
    const key = this.keys.webhookFailures(name);
    const now = new Date().toISOString();
    await run(() =>
      this.connection.multi().hincrby(key, 'count', 1).hsetnx(key, 'since', now).exec(),
    );
    const { count, since = now } = await run(() => this.connection.hgetall(key));
    return { count: Number(count), since };
  }

  /** A try has not failed, or the webhook begins anew. */
  async forgetFailures(name: string): Promise<void> {
    await run(() => this.connection.del(this.keys.webhookFailures(name)));
  }

  /** Newest first. */
  async tries(name: string): Promise<DeliveryTry[]> {
    const entries = await run(() => this.connection.lrange(this.keys.deliveries(name), 0, -1));
    return entries.map((json) => deliveryTrySchema.parse(JSON.parse(json)));
  }
}
