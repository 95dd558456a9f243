import { dataSetRegistrationSchema, dataSetViewSchema } from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { run, StoreError } from './errors.js';
import { Keys } from './keys.js';
import { CREATE_NAMED, MOVE_NAMED, REPLACE_DATA_SET } from './scripts.js';

/** A data set as users see it, with its owner and what it is prepared from. */
export const dataSetRecordSchema = z.strictObject({
  view: dataSetViewSchema.omit({ owner: true }),
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

  /**
   * Stores a record in place of the one of its name.
   * @param createdAt when that one was registered
   * @returns false when it was removed meanwhile, also if the name was registered anew
   */
  async replace(record: DataSetRecord, createdAt: string): Promise<boolean> {
    const key = this.keys.dataSet(record.view.name);
    const json = JSON.stringify(record);
    return (await run(() => this.redis.eval(REPLACE_DATA_SET, 1, key, json, createdAt))) === 1;
  }

  /**
   * Takes a data set out of the list: nobody finds it any more, but its record is kept for
   * `endRemoval`. False when there was none.
   */
  async beginRemoval(name: string): Promise<boolean> {
    const { keys } = this;
    const all = [
      keys.dataSet(name),
      keys.removedDataSet(name),
      keys.dataSets,
      keys.removedDataSets,
    ];
    return (await run(() => this.redis.eval(MOVE_NAMED, all.length, ...all, name))) === 1;
  }

  /** The record of a data set whose removal has begun and not ended. */
  async removed(name: string): Promise<DataSetRecord | null> {
    const json = await run(() => this.redis.get(this.keys.removedDataSet(name)));
    return json === null ? null : decode(name, json);
  }

  /** Names of data sets whose removal has begun and not ended. */
  async removals(): Promise<string[]> {
    return run(() => this.redis.zrange(this.keys.removedDataSets, '0', '-1'));
  }

  async endRemoval(name: string): Promise<void> {
    const { keys } = this;
    await run(() =>
      this.redis.multi().del(keys.removedDataSet(name)).zrem(keys.removedDataSets, name).exec(),
    );
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
