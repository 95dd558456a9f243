import { dataSetRegistrationSchema, dataSetViewSchema } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { run, StoreError } from './errors.js';
import { Keys } from './keys.js';
import { CREATE_NAMED } from './scripts.js';

/** A data set as users see it, with what it is prepared from. */
export const dataSetRecordSchema = z.strictObject({
  view: dataSetViewSchema,
  registration: dataSetRegistrationSchema,
  /** Name of the directory with the shards; null until ready. */
  directory: z.string().nullable(),
  /** Whose storage it takes, and how much that one may store in all; null: no limit. */
  owner: z.string().default('root'),
  storageLimitBytes: z.number().nullable().default(null),
});
export type DataSetRecord = z.output<typeof dataSetRecordSchema>;

/** Registered data sets. All calls throw STORE_UNAVAILABLE when Redis is away. */
export class DataSetStore {
  private readonly keys: Keys;

  constructor(
    private readonly redis: Redis,
    keyPrefix: string,
  ) {
    this.keys = new Keys(keyPrefix);
  }

  async get(name: string): Promise<DataSetRecord | null> {
    const json = await run(() => this.redis.get(this.keys.dataSet(name)));
    return json === null ? null : decode(name, json);
  }

  async list(): Promise<DataSetRecord[]> {
    const names = await run(() => this.redis.zrange(this.keys.dataSets, '0', '-1'));
    const records = await Promise.all(names.map((name) => this.get(name)));
    return records.filter((record) => record !== null);
  }

  /** Stores a new record; null when done, else what is stored under that name. */
  async create(record: DataSetRecord): Promise<DataSetRecord | null> {
    const { name } = record.view;
    const json = JSON.stringify(record);
    const stored = await run(() =>
      this.redis.eval(CREATE_NAMED, 2, this.keys.dataSet(name), this.keys.dataSets, name, json),
    );
    return typeof stored === 'string' ? decode(name, stored) : null;
  }

  /** Stores a record in place of the one of its name. */
  async replace(record: DataSetRecord): Promise<void> {
    const key = this.keys.dataSet(record.view.name);
    await run(() => this.redis.set(key, JSON.stringify(record)));
  }
}

function decode(name: string, json: string): DataSetRecord {
  try {
    return dataSetRecordSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `data set ${name} is not readable by this version`, {
      cause,
    });
  }
}
