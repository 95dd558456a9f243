import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { ClassCounts, SampleList, SplitName } from '@skipring/protocol';
import { z } from 'zod';
import { Access } from '../access/access.guard.js';
import type { HttpRequest, HttpResponse } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import { DATA_SETS, SAMPLE_INDEX } from '../tokens.js';
import { numberParameter } from '../http/number-parameter.js';
import type { DataSetsService, ReadyDataSet } from './data-sets.service.js';
import type { SampleIndex } from './sample-index.js';

const index = z.int().min(0);
export const splitSchema = z.enum(['train', 'test']);
export const sampleSchema = numberParameter(index.max(2 ** 40));

export const samplesQuerySchema = z.strictObject({
  split: splitSchema.default('train'),
  class: numberParameter(index.max(65_534)).optional().describe('index of a class; absent: all'),
  offset: numberParameter(index).default(0),
  limit: numberParameter(z.int().min(1).max(1_000)).default(50),
});

@Controller('data-sets/:name')
@Access('viewer')
export class SamplesController {
  constructor(
    @Inject(DATA_SETS) private readonly dataSets: DataSetsService,
    @Inject(SAMPLE_INDEX) private readonly samples: SampleIndex,
  ) {}

  @Get('classes')
  async classes(@Param('name') name: string): Promise<ClassCounts> {
    return this.samples.classCounts(await this.ready(name));
  }

  @Get('samples')
  async list(
    @Param('name') name: string,
    @Query({ schema: samplesQuerySchema }) query: z.output<typeof samplesQuerySchema>,
  ): Promise<SampleList> {
    return this.samples.samples(await this.ready(name), query);
  }

  @Get('samples/:split/:sample')
  async picture(
    @Param('name') name: string,
    @Param('split', { schema: splitSchema }) split: SplitName,
    @Param('sample', { schema: sampleSchema }) sample: number,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const dataSet = await this.ready(name);
    const png = await this.samples.picture(dataSet, split, sample);
    response.writeHead(200, {
      'content-type': 'image/png',
      'content-length': png.length,
      // A name may be registered anew, with other samples.
      'cache-control': 'private, max-age=300',
      'x-content-type-options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : png);
  }

  /** Throws HttpProblem DATA_SET_UNKNOWN, DATA_SET_NOT_READY. */
  private async ready(name: string): Promise<ReadyDataSet> {
    const { state } = await this.dataSets.get(name);
    const ready = await this.dataSets.ready(name);
    if (ready === null) {
      throw new HttpProblem('DATA_SET_NOT_READY', `data set ${name} is ${state}, expected ready`);
    }
    return ready;
  }
}
