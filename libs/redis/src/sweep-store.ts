import { sweepViewSchema, tokenLimitsSchema } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { run } from './errors.js';
import { idempotencyValue, madeBefore, type Idempotency } from './idempotency.js';
import { Keys } from './keys.js';
import { NamedRecords } from './named-records.js';
import { DEFAULT_RETENTION } from './retention.js';
import { CREATE_NAMED_ONCE } from './scripts.js';

/** A sweep, with the limits of the token that submitted it. */
const sweepRecordSchema = sweepViewSchema
  .omit({ best: true })
  .extend({ limits: tokenLimitsSchema });
export type SweepRecord = z.output<typeof sweepRecordSchema>;

/** Sweeps by id; ids sort by time. */
export class SweepStore extends NamedRecords<typeof sweepRecordSchema> {
  private readonly keys: Keys;

  constructor(
    private readonly connection: Redis,
    keyPrefix: string,
  ) {
    const keys = new Keys(keyPrefix);
    super(connection, {
      what: 'sweep',
      schema: sweepRecordSchema,
      index: keys.sweeps,
      key: (id) => keys.sweep(id),
    });
    this.keys = keys;
  }

  /**
   * Stores a new sweep, unless its idempotency key is known: then the id of the sweep that the key
   * made comes back.
   * @throws StoreError IDEMPOTENCY_KEY_REUSED when the key is known with another request
   */
  async submit(
    record: SweepRecord,
    idempotency: Idempotency | null,
  ): Promise<{ id: string; created: boolean }> {
    const { id } = record;
    const keys = [
      this.keys.sweep(id),
      this.keys.sweeps,
      this.keys.idempotency(idempotency?.keyHash ?? ''),
    ];
    const known = (await run(() =>
      this.connection.eval(
        CREATE_NAMED_ONCE,
        ...[keys.length, ...keys],
        ...[id, JSON.stringify(record)],
        ...[idempotencyValue(id, idempotency), DEFAULT_RETENTION.idempotencyMs],
      ),
    )) as string;
    const first = madeBefore(known, idempotency);
    return first === null ? { id, created: true } : { id: first, created: false };
  }
}
