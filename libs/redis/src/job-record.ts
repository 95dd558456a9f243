import { jobViewSchema, type JobEvent } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { run, StoreError } from './errors.js';

/** All that is stored of a job besides its events and histories. */
export const jobRecordSchema = jobViewSchema.extend({
  /** Attempts made before the last submission or resumption: retries count from here. */
  attemptsBefore: z.int().min(0),
  /** How often the job has been put in the queue; names its queue entry. */
  entries: z.int().min(0),
});
export type JobRecord = z.output<typeof jobRecordSchema>;

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An event before it is stored: the store gives its id. */
export type NewJobEvent = Without<JobEvent, 'id' | 'jobId' | 'time'>;

/** Fields of a hash: JSON by field. */
export function encodeRecord(record: Partial<JobRecord>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).map(([field, value]) => [field, JSON.stringify(value)]),
  );
}

/** Throws STORE_CORRUPT naming the job. */
export function decodeRecord(id: string, fields: Readonly<Record<string, string>>): JobRecord {
  try {
    return jobRecordSchema.parse(
      Object.fromEntries(
        Object.entries(fields).map(([field, json]) => [field, JSON.parse(json) as unknown]),
      ),
    );
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `job ${id} is not readable by this version`, { cause });
  }
}

/** The job whose record is at a key; null when there is none. */
export async function readRecord(redis: Redis, id: string, key: string): Promise<JobRecord | null> {
  const fields = await run(() => redis.hgetall(key));
  return Object.keys(fields).length === 0 ? null : decodeRecord(id, fields);
}
