import { sweepViewSchema, tokenLimitsSchema } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { Keys } from './keys.js';
import { NamedRecords } from './named-records.js';

/** A sweep, with the limits of the token that submitted it. */
const sweepRecordSchema = sweepViewSchema
  .omit({ best: true })
  .extend({ limits: tokenLimitsSchema });
export type SweepRecord = z.output<typeof sweepRecordSchema>;

/** Sweeps by id; ids sort by time. */
export class SweepStore extends NamedRecords<typeof sweepRecordSchema> {
  constructor(redis: Redis, keyPrefix: string) {
    const keys = new Keys(keyPrefix);
    super(redis, {
      what: 'sweep',
      schema: sweepRecordSchema,
      index: keys.sweeps,
      key: (id) => keys.sweep(id),
    });
  }
}
