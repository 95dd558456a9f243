import { tokenViewSchema } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { run, StoreError } from './errors.js';
import { Keys } from './keys.js';
import { CREATE_NAMED } from './scripts.js';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** A token, with hashes in place of its secrets. */
const tokenRecordSchema = tokenViewSchema.extend({
  /** SHA-256: a secret has 256 random bits, so a slow hash would add nothing. */
  secretSha256: sha256Schema,
  /** The secret before the last rotation, while it is still taken. */
  previous: z.strictObject({ secretSha256: sha256Schema, until: z.iso.datetime() }).nullable(),
});
export type TokenRecord = z.output<typeof tokenRecordSchema>;

/** API tokens by name. All calls throw STORE_UNAVAILABLE when Redis is away. */
export class TokenStore {
  private readonly keys: Keys;

  constructor(
    private readonly redis: Redis,
    keyPrefix: string,
  ) {
    this.keys = new Keys(keyPrefix);
  }

  async get(name: string): Promise<TokenRecord | null> {
    const json = await run(() => this.redis.get(this.keys.token(name)));
    return json === null ? null : decode(name, json);
  }

  /** By name. */
  async list(): Promise<TokenRecord[]> {
    const names = await run(() => this.redis.zrange(this.keys.tokens, '0', '-1'));
    const records = await Promise.all(names.map((name) => this.get(name)));
    return records.filter((record) => record !== null);
  }

  /** False when the name is taken. */
  async create(record: TokenRecord): Promise<boolean> {
    const { name } = record;
    const json = JSON.stringify(record);
    const stored = await run(() =>
      this.redis.eval(CREATE_NAMED, 2, this.keys.token(name), this.keys.tokens, name, json),
    );
    return typeof stored !== 'string';
  }

  /** Stores a record in place of the one of its name; false when there is none any more. */
  async replace(record: TokenRecord): Promise<boolean> {
    const key = this.keys.token(record.name);
    return (await run(() => this.redis.set(key, JSON.stringify(record), 'XX'))) !== null;
  }

  /** False when there was none. */
  async remove(name: string): Promise<boolean> {
    const replies = await run(() =>
      this.redis.multi().del(this.keys.token(name)).zrem(this.keys.tokens, name).exec(),
    );
    return replies?.[0]?.[1] === 1;
  }
}

function decode(name: string, json: string): TokenRecord {
  try {
    return tokenRecordSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `token ${name} is not readable by this version`, {
      cause,
    });
  }
}
