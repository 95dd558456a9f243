import {
  evaluationResultSchema,
  layersSchema,
  layerStatisticsSchema,
  rankRecordSchema,
  stepRecordSchema,
  type EvaluationResult,
  type Layer,
  type LayerHistory,
  type LayerStatistics,
  type RankRecord,
  type StepRecord,
  type StoredLedger,
} from '@skipring/protocol';
import type { Redis } from 'ioredis';
import { run } from './errors.js';
import type { Keys, SeriesName } from './keys.js';
import type { LeaderWrites } from './leader-writes.js';
import { decodeLedger } from './ledger-fields.js';
import type { Retention } from './retention.js';
import { ADD_LAYERS } from './scripts.js';

/** Steps that are read at once where all are needed. */
const STEP_PAGE = 5_000;

/** What a step of an attempt found at the layers. */
export interface LayerEntry {
  readonly attempt: number;
  readonly layers: readonly Layer[];
  readonly statistics: LayerStatistics;
}

/** What is kept of each job's steps. Most of it is written by `RunStore.change`. */
export class JobHistories {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly leader: LeaderWrites,
    private readonly retention: Retention,
  ) {}

  /** Committed steps from `fromStep` on, in order. */
  async steps(id: string, fromStep: number, limit: number): Promise<StepRecord[]> {
    const entries = await this.series(id, 'steps', fromStep, limit);
    return entries.map((entry) => stepRecordSchema.parse(JSON.parse(entry)));
  }

  /** All committed steps of [fromStep, toStep], in order, a page at a time. */
  async *stepPages(id: string, fromStep: number, toStep: number): AsyncGenerator<StepRecord[]> {
    let next = this.series(id, 'steps', fromStep, STEP_PAGE, toStep);
    for (;;) {
      const entries = await next;
      const last = entries.at(-1);
      const isLast = entries.length < STEP_PAGE || last === undefined;
      if (!isLast) {
        // Redis reads on while this page is parsed.
        const { step } = JSON.parse(last) as StepRecord;
        next = this.series(id, 'steps', step + 1, STEP_PAGE, toStep);
        // Told when it is awaited, which may be later than it fails.
        next.catch(() => undefined);
      }
      // One call for all: a history is long, and each entry was checked when it came in.
      yield JSON.parse(`[${entries.join(',')}]`) as StepRecord[];
      if (isLast) return;
    }
  }

  /** How each rank spent its steps, from `fromStep` on, in order. */
  async ranks(id: string, fromStep: number, limit: number): Promise<RankRecord[]> {
    const entries = await this.series(id, 'ranks', fromStep, limit);
    return entries.map((entry) => rankRecordSchema.parse(JSON.parse(entry)));
  }

  async evaluations(id: string): Promise<EvaluationResult[]> {
    const entries = await this.series(id, 'evaluations', 0, this.retention.evaluations);
    return entries.map((entry) => evaluationResultSchema.parse(JSON.parse(entry)));
  }

  /** Adds to a job's history of layer statistics; nothing when another attempt runs. */
  async addLayers(id: string, { attempt, layers, statistics }: LayerEntry): Promise<void> {
    await this.leader.write(
      ADD_LAYERS,
      [this.keys.job(id), this.keys.series(id, 'layers'), this.keys.layerList(id)],
      [
        attempt,
        statistics.step,
        JSON.stringify(statistics),
        this.retention.layers,
        JSON.stringify(layers),
      ],
    );
  }

  /**
   * Statistics of the layers from `fromStep` on, in order: of the first `limit` entries, `points` at
   * even distances with the first and the last. Without layers when the job has none.
   */
  async layers(
    id: string,
    query: { fromStep: number; limit: number; points: number },
  ): Promise<LayerHistory> {
    const entries = await this.series(id, 'layers', query.fromStep, query.limit);
    const list = await run(() => this.redis.get(this.keys.layerList(id)));
    return {
      layers: list === null ? [] : layersSchema.parse(JSON.parse(list)),
      items: evenly(entries, query.points).map((entry) =>
        layerStatisticsSchema.parse(JSON.parse(entry)),
      ),
    };
  }

  /** Null when the job has none, also because it ended long ago. */
  async ledger(id: string): Promise<StoredLedger | null> {
    const fields = await run(() => this.redis.hgetall(this.keys.ledger(id)));
    return Object.keys(fields).length === 0 ? null : decodeLedger(id, fields);
  }

  private series(
    id: string,
    series: SeriesName,
    from: number,
    limit: number,
    to = Infinity,
  ): Promise<string[]> {
    const end = to === Infinity ? '+inf' : to;
    return run(() =>
      this.redis.zrangebyscore(this.keys.series(id, series), from, end, 'LIMIT', 0, limit),
    );
  }
}

/** At most `count` of the items, at even distances, with the first and the last. */
function evenly<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  const last = items.length - 1;
  if (count === 1) return items.slice(last);
  return Array.from({ length: count }, (_, index) => Math.round((index * last) / (count - 1)))
    .map((index) => items[index])
    .filter((item) => item !== undefined);
}
