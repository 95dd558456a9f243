import type { JobState } from '@skipring/protocol';

/** Histories of a job. */
export type SeriesName = 'steps' | 'ranks' | 'evaluations' | 'layers';

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

  /** Sorted set of the ids of jobs whose removal has begun. */
  get removedJobs(): string {
    return `${this.prefix}:removed-jobs`;
  }

  /** Hash: the record of a job whose removal has begun. */
  removedJob(id: string): string {
    return `${this.prefix}:removed-job:${id}`;
  }

  /** Hash: the JSON of each job's summary, by job id; none of a job from before there were summaries. */
  get summaries(): string {
    return `${this.prefix}:summaries`;
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

  /** Stream of the state events of all jobs, for webhooks. */
  get stateChanges(): string {
    return `${this.prefix}:state-changes`;
  }

  /** Sorted set by step. */
  series(id: string, series: SeriesName): string {
    return `${this.prefix}:job:${id}:${series}`;
  }

  /** JSON: the layers that the entries of the series `layers` are about. */
  layerList(id: string): string {
    return `${this.prefix}:job:${id}:layer-list`;
  }

  /** `WRITER:NUMBER` of the last change that had a sequence number. */
  sequence(id: string): string {
    return `${this.prefix}:job:${id}:sequence`;
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

  /** Sorted set of the names of data sets whose removal has begun. */
  get removedDataSets(): string {
    return `${this.prefix}:removed-data-sets`;
  }

  /** JSON: a data set whose removal has begun. */
  removedDataSet(name: string): string {
    return `${this.prefix}:removed-data-set:${name}`;
  }

  /** Sorted set of the ids of sweeps. */
  get sweeps(): string {
    return `${this.prefix}:sweeps`;
  }

  /** JSON. */
  sweep(id: string): string {
    return `${this.prefix}:sweep:${id}`;
  }

  /** Sorted set of the names of tokens. */
  get tokens(): string {
    return `${this.prefix}:tokens`;
  }

  /** JSON. */
  token(name: string): string {
    return `${this.prefix}:token:${name}`;
  }

  /** Sorted set of the names of webhooks. */
  get webhooks(): string {
    return `${this.prefix}:webhooks`;
  }

  /** JSON. */
  webhook(name: string): string {
    return `${this.prefix}:webhook:${name}`;
  }

  /** List of the newest tries to deliver, newest first; JSON. */
  deliveries(name: string): string {
    return `${this.prefix}:webhook:${name}:deliveries`;
  }

  /** Hash: `count` of tries that failed since the last that did not, and when the first was, `since`. */
  webhookFailures(name: string): string {
    return `${this.prefix}:webhook:${name}:failures`;
  }

  /** The id of the last change of state that webhooks were told of. */
  get toldChange(): string {
    return `${this.prefix}:webhooks:told`;
  }

  /** Hash: the most workers of each job of an owner that has not ended, by job id. */
  openJobs(owner: string): string {
    return `${this.prefix}:open:${owner}`;
  }

  /** Hash: bytes stored by an owner, by job id (its checkpoints) and `data-set:NAME`. */
  storage(owner: string): string {
    return `${this.prefix}:storage:${owner}`;
  }

  /** Stream. */
  get audit(): string {
    return `${this.prefix}:audit`;
  }

  /** BullMQ's prefix. */
  get queues(): string {
    return `${this.prefix}:queue`;
  }
}
