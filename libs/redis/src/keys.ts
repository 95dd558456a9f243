import type { JobState } from '@skipring/protocol';

/** Names of all keys. BullMQ keeps its own below `PREFIX:queue:`. */
export class Keys {
  constructor(readonly prefix: string) {}

  /** Sorted set of all job ids, in lexical and so in time order. */
  get jobs(): string {
    return `${this.prefix}:jobs`;
  }

  /** Sorted set of the ids of jobs in one state. */
  jobsIn(state: JobState): string {
    return `${this.prefix}:jobs:${state}`;
  }

  /** Hash: one field for each field of a job record, as JSON. */
  job(id: string): string {
    return `${this.prefix}:job:${id}`;
  }

  /** Counter: the last attempt's number. */
  attempt(id: string): string {
    return `${this.prefix}:job:${id}:attempt`;
  }

  /** Stream of events. */
  events(id: string): string {
    return `${this.prefix}:job:${id}:events`;
  }

  /** Sorted set by step. */
  series(id: string, series: 'steps' | 'evaluations'): string {
    return `${this.prefix}:job:${id}:${series}`;
  }

  /** Hash: `summary`, and one field for each epoch listed, by its number; JSON. */
  ledger(id: string): string {
    return `${this.prefix}:job:${id}:ledger`;
  }

  idempotency(keyHash: string): string {
    return `${this.prefix}:idempotency:${keyHash}`;
  }

  /** The leader's token; expires. */
  get leader(): string {
    return `${this.prefix}:leader`;
  }

  /** Counter: the number of the last leader. */
  get leaderNumber(): string {
    return `${this.prefix}:leader:number`;
  }

  /** Sorted set of the names of data sets. */
  get dataSets(): string {
    return `${this.prefix}:data-sets`;
  }

  /** JSON. */
  dataSet(name: string): string {
    return `${this.prefix}:data-set:${name}`;
  }

  /** BullMQ's prefix. */
  get queues(): string {
    return `${this.prefix}:queue`;
  }
}
