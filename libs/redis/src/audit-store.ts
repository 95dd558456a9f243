import { auditEntrySchema, type AuditEntry } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run } from './errors.js';
import { Keys } from './keys.js';

/** About this many newest entries are kept. */
const MAX_ENTRIES = 100_000;

/** An entry before it is stored: the store gives its id. */
export type NewAuditEntry = Omit<AuditEntry, 'id'>;

/** Who did what. All calls throw STORE_UNAVAILABLE when Redis is away. */
export class AuditStore {
  private readonly key: string;

  constructor(
    private readonly redis: Redis,
    keyPrefix: string,
    private readonly maxEntries = MAX_ENTRIES,
  ) {
    this.key = new Keys(keyPrefix).audit;
  }

  async add(entry: NewAuditEntry): Promise<void> {
    const json = JSON.stringify(entry);
    await run(() => this.redis.xadd(this.key, 'MAXLEN', '~', this.maxEntries, '*', 'entry', json));
  }

  /** Newest first. `cursor` is the id of the last entry of the page before. */
  async list(query: {
    limit: number;
    cursor?: string | undefined;
  }): Promise<{ items: AuditEntry[]; nextCursor: string | null }> {
    const { limit, cursor } = query;
    const start = cursor === undefined ? '+' : `(${cursor}`;
    const found = await run(() => this.redis.xrevrange(this.key, start, '-', 'COUNT', limit + 1));
    const items = found
      .slice(0, limit)
      .map(([id, fields]) =>
        auditEntrySchema.parse({ ...(JSON.parse(fields[1] ?? '{}') as object), id }),
      );
    return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }
}
