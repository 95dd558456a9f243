import { auditEntrySchema, type AuditEntry } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run } from './errors.js';
import { Keys } from './keys.js';

/** About this many newest entries are kept. */
const MAX_ENTRIES = 100_000;
/** Entries that are read at once while those of one actor are looked for. */
const SCAN_PAGE = 2_000;

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

  /** Newest first, of one actor or of all. `cursor` is the id of the last entry of the page before. */
  async list(query: {
    limit: number;
    cursor?: string | undefined;
    actor?: string | undefined;
  }): Promise<{ items: AuditEntry[]; nextCursor: string | null }> {
    const { limit, cursor, actor } = query;
    const found: AuditEntry[] = [];
    const pageSize = actor === undefined ? limit + 1 : SCAN_PAGE;
    for (let from = cursor; found.length <= limit;) {
      const page = await this.page(from, pageSize);
      found.push(...page.filter((entry) => actor === undefined || entry.actor === actor));
      from = page.at(-1)?.id;
      if (page.length < pageSize) break;
    }
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** Those before an id, or the newest. */
  private async page(before: string | undefined, count: number): Promise<AuditEntry[]> {
    const start = before === undefined ? '+' : `(${before}`;
    const found = await run(() => this.redis.xrevrange(this.key, start, '-', 'COUNT', count));
    return found.map(([id, fields]) =>
      auditEntrySchema.parse({ ...(JSON.parse(fields[1] ?? '{}') as object), id }),
    );
  }
}
