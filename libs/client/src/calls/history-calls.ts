import {
  evaluationResultSchema,
  layerHistorySchema,
  ledgerViewSchema,
  rankRecordSchema,
  stepRecordSchema,
  type EvaluationResult,
  type LayerHistory,
  type LedgerView,
  type RankRecord,
  type StepRecord,
} from '@skipring/protocol';
import { Calls } from './calls.js';
import { list } from './requests.js';

const METRICS_PAGE = 5_000;

/** What is kept of a job's steps. */
export class HistoryCalls extends Calls {
  /**
   * Committed steps; with `points` the whole stretch, thinned to about so many steps with the extremes
   * of every part of it among them.
   */
  async metrics(
    id: string,
    query: { fromStep?: number; toStep?: number; limit?: number; points?: number } = {},
  ): Promise<StepRecord[]> {
    const path = `/jobs/${encodeURIComponent(id)}/metrics`;
    return (await this.http.json(list(stepRecordSchema), path, { query })).items;
  }

  /** How each rank spent its steps, as means over a few seconds. */
  async ranks(
    id: string,
    query: { fromStep?: number; limit?: number; points?: number } = {},
  ): Promise<RankRecord[]> {
    const path = `/jobs/${encodeURIComponent(id)}/ranks`;
    return (await this.http.json(list(rankRecordSchema), path, { query })).items;
  }

  /** All stored steps of a job from `fromStep` on, fetched page by page. */
  async *stepMetrics(id: string, fromStep = 0): AsyncGenerator<StepRecord, void, undefined> {
    for (let next = fromStep; ;) {
      const page = await this.metrics(id, { fromStep: next, limit: METRICS_PAGE });
      yield* page;
      if (page.length < METRICS_PAGE) return;
      next = (page.at(-1)?.step ?? next) + 1;
    }
  }

  async evaluations(id: string): Promise<EvaluationResult[]> {
    const path = `/jobs/${encodeURIComponent(id)}/evaluations`;
    return (await this.http.json(list(evaluationResultSchema), path)).items;
  }

  /** Statistics of each layer over the job's steps; none unless its spec asks for `statistics`. */
  layers(
    id: string,
    query: { fromStep?: number; limit?: number; points?: number } = {},
  ): Promise<LayerHistory> {
    const path = `/jobs/${encodeURIComponent(id)}/layers`;
    return this.http.json(layerHistorySchema, path, { query });
  }

  /** Which samples went into which committed steps. */
  ledger(id: string): Promise<LedgerView> {
    return this.http.json(ledgerViewSchema, `/jobs/${encodeURIComponent(id)}/ledger`);
  }
}
