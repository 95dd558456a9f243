import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { run, StoreError } from './errors.js';
import { CREATE_NAMED } from './scripts.js';

/** Where records of one kind are, and what they are. */
export interface NamedKind<T extends z.ZodType> {
  /** For messages, such as `token`. */
  readonly what: string;
  readonly schema: T;
  /** Sorted set of all names. */
  readonly index: string;
  readonly key: (name: string) => string;
}

/** Records by name, each as JSON. All calls throw STORE_UNAVAILABLE when Redis is away. */
export class NamedRecords<T extends z.ZodType> {
  constructor(
    private readonly redis: Redis,
    private readonly kind: NamedKind<T>,
  ) {}

  async get(name: string): Promise<z.output<T> | null> {
    const json = await run(() => this.redis.get(this.kind.key(name)));
    return json === null ? null : this.decode(name, json);
  }

  /** By name. */
  async list(): Promise<z.output<T>[]> {
    const names = await run(() => this.redis.zrange(this.kind.index, '0', '-1'));
    const records = await Promise.all(names.map((name) => this.get(name)));
    return records.filter((record) => record !== null);
  }

  /** False when the name is taken. */
  async create(name: string, record: z.output<T>): Promise<boolean> {
    const { key, index } = this.kind;
    const json = JSON.stringify(record);
    const stored = await run(() => this.redis.eval(CREATE_NAMED, 2, key(name), index, name, json));
    return typeof stored !== 'string';
  }

  /** Stores a record in place of the one of its name; false when there is none any more. */
  async replace(name: string, record: z.output<T>): Promise<boolean> {
    const key = this.kind.key(name);
    return (await run(() => this.redis.set(key, JSON.stringify(record), 'XX'))) !== null;
  }

  /** False when there was none. */
  async remove(name: string): Promise<boolean> {
    const { key, index } = this.kind;
    const replies = await run(() => this.redis.multi().del(key(name)).zrem(index, name).exec());
    return replies?.[0]?.[1] === 1;
  }

  private decode(name: string, json: string): z.output<T> {
    const { what, schema } = this.kind;
    try {
      return schema.parse(JSON.parse(json));
    } catch (cause) {
      const message = `${what} ${name} is not readable by this version`;
      throw new StoreError('STORE_CORRUPT', message, { cause });
    }
  }
}
