import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { MAX_LAYER_ENTRIES, type LayerHistory } from '@skipring/protocol';
import type { RunStore } from '@skipring/redis';
import { z } from 'zod';
import { Access } from '../access/access.guard.js';
import { JOBS, RUN_STORE } from '../tokens.js';
import { numberParameter } from '../http/number-parameter.js';
import type { JobsService } from './jobs.service.js';

const numEntries = numberParameter(z.int().min(1).max(MAX_LAYER_ENTRIES));

export const layersQuerySchema = z.strictObject({
  fromStep: numberParameter(z.int().min(0)).default(0),
  limit: numEntries.default(MAX_LAYER_ENTRIES).describe('entries looked at, from fromStep on'),
  points: numEntries
    .default(200)
    .describe('at most so many of these, at even distances, with the first and the last'),
});

/** What was found at a job's layers while it trained. */
@Controller('jobs')
@Access('viewer')
export class LayersController {
  constructor(
    @Inject(JOBS) private readonly jobs: JobsService,
    @Inject(RUN_STORE) private readonly store: RunStore,
  ) {}

  @Get(':id/layers')
  async layers(
    @Param('id') id: string,
    @Query({ schema: layersQuerySchema }) query: z.output<typeof layersQuerySchema>,
  ): Promise<LayerHistory> {
    await this.jobs.record(id);
    return this.store.histories.layers(id, query);
  }
}
