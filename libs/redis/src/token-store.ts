import { tokenViewSchema } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { Keys } from './keys.js';
import { NamedRecords } from './named-records.js';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** A token, with hashes in place of its secrets. */
const tokenRecordSchema = tokenViewSchema.extend({
  /** SHA-256: a secret has 256 random bits, so a slow hash would add nothing. */
  secretSha256: sha256Schema,
  /** The secret before the last rotation, while it is still taken. */
  previous: z.strictObject({ secretSha256: sha256Schema, until: z.iso.datetime() }).nullable(),
});
export type TokenRecord = z.output<typeof tokenRecordSchema>;

/** API tokens by name. */
export class TokenStore extends NamedRecords<typeof tokenRecordSchema> {
  constructor(redis: Redis, keyPrefix: string) {
    const keys = new Keys(keyPrefix);
    super(redis, {
      what: 'token',
      schema: tokenRecordSchema,
      index: keys.tokens,
      key: (name) => keys.token(name),
    });
  }
}
