import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import type { EvaluationResult, RankRecord, StepRecord } from '@skipring/protocol';
import type { RunStore } from '@skipring/redis';
import { z } from 'zod';
import { Access } from '../access/access.guard.js';
import { JOBS, RUN_STORE } from '../tokens.js';
import { numberParameter } from '../http/number-parameter.js';
import type { JobsService } from './jobs.service.js';
import { StepThinner } from './thin-steps.js';
import { ThinnedHistories } from './thinned-histories.js';

const step = numberParameter(z.int().min(0));
const numItems = numberParameter(z.int().min(1).max(10_000));
const points = numItems.optional();

export const metricsQuerySchema = z.strictObject({
  fromStep: step.default(0),
  toStep: step.optional().describe('last step; only with points'),
  limit: numItems.default(1_000).describe('not used with points'),
  points: points.describe(
    'thin the history to about so many steps, the extremes of every stretch of it among them',
  ),
});

export const ranksQuerySchema = z.strictObject({
  fromStep: step.default(0),
  limit: numItems.default(1_000),
  points: points.describe('evenly spaced ones of what limit lets through'),
});

/** What was measured of a job while it trained. */
@Controller('jobs')
@Access('viewer')
export class HistoriesController {
  private readonly whole: ThinnedHistories;

  constructor(
    @Inject(JOBS) private readonly jobs: JobsService,
    @Inject(RUN_STORE) private readonly store: RunStore,
  ) {
    this.whole = new ThinnedHistories(store.histories);
  }

  @Get(':id/metrics')
  async metrics(
    @Param('id') id: string,
    @Query({ schema: metricsQuerySchema }) query: z.output<typeof metricsQuerySchema>,
  ): Promise<{ items: StepRecord[] }> {
    const record = await this.jobs.record(id);
    if (query.points === undefined) {
      return { items: await this.store.histories.steps(id, query.fromStep, query.limit) };
    }
    const fromStep = Math.max(1, query.fromStep);
    if (fromStep === 1 && query.toStep === undefined) {
      return { items: await this.whole.read(record, query.points) };
    }
    const toStep = Math.min(query.toStep ?? Infinity, record.progress.step);
    const thinner = new StepThinner({ fromStep, toStep }, query.points);
    for await (const page of this.store.histories.stepPages(id, fromStep, toStep)) {
      for (const step of page) thinner.observe(step);
    }
    return { items: thinner.thinned() };
  }

  @Get(':id/ranks')
  async ranks(
    @Param('id') id: string,
    @Query({ schema: ranksQuerySchema }) query: z.output<typeof ranksQuerySchema>,
  ): Promise<{ items: RankRecord[] }> {
    await this.jobs.record(id);
    const records = await this.store.histories.ranks(id, query.fromStep, query.limit);
    const stride = Math.ceil(records.length / (query.points ?? query.limit));
    return { items: records.filter((_, index) => index % stride === 0) };
  }

  @Get(':id/evaluations')
  async evaluations(@Param('id') id: string): Promise<{ items: EvaluationResult[] }> {
    await this.jobs.record(id);
    return { items: await this.store.histories.evaluations(id) };
  }
}
