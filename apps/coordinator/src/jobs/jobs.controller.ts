import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ledgerView } from '@skipring/cluster';
import {
  API_PREFIX,
  jobSpecSchema,
  jobStates,
  MAX_LISTED,
  type CheckpointView,
  type JobSpec,
  type JobView,
  type LedgerView,
} from '@skipring/protocol';
import type { RunStore } from '@skipring/redis';
import { z } from 'zod';
import { Access } from '../access/access.guard.js';
import { ANONYMOUS } from '../access/principal.js';
import type { HttpRequest, HttpResponse } from '../http/messages.js';
import { validated } from '../http/validation.pipe.js';
import { CLOSING, EVENT_STREAMS, JOB_REMOVAL, JOBS, MODELS, RUN_STORE } from '../tokens.js';
import { numberParameter } from '../http/number-parameter.js';
import type { EventStreams } from './event-stream.js';
import type { JobRemoval } from './job-removal.js';
import type { JobsService } from './jobs.service.js';
import type { Models } from './models.js';

export const jobQuerySchema = z
  .strictObject({
    state: z.enum(jobStates).optional(),
    view: z
      .enum(['full', 'summary'])
      .default('full')
      .describe('summary: without spec and lastEvaluation'),
    // Above that nothing is said of the view.
    limit: numberParameter(z.int().min(1).max(MAX_LISTED.summary, { abort: true }))
      .default(50)
      .describe(`at most ${MAX_LISTED.full} in full`),
    cursor: z
      .string()
      .regex(/^job-[0-9a-z]{1,60}$/, 'expected the nextCursor of a page')
      .optional(),
  })
  .refine(({ view, limit }) => limit <= MAX_LISTED[view], {
    path: ['limit'],
    message: `expected at most ${MAX_LISTED.full}, or view=summary`,
  });

export const eventsQuerySchema = z.strictObject({
  follow: z
    .enum(['true', 'false'])
    .default('true')
    .describe('false: end behind the last event stored by now'),
});

export const eventIdSchema = z.string().regex(/^\d{1,16}-\d{1,16}$/, 'expected the id of an event');

@Controller('jobs')
@Access('viewer')
export class JobsController {
  constructor(
    @Inject(JOBS) private readonly jobs: JobsService,
    @Inject(JOB_REMOVAL) private readonly removal: JobRemoval,
    @Inject(MODELS) private readonly models: Models,
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(EVENT_STREAMS) private readonly streams: EventStreams,
    @Inject(CLOSING) private readonly closing: AbortSignal,
  ) {}

  @Post()
  @Access('submitter')
  async submit(
    @Body({ schema: jobSpecSchema }) spec: JobSpec,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() { principal = ANONYMOUS }: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<JobView> {
    const { job, created } = await this.jobs.submit(spec, principal, idempotencyKey);
    response.statusCode = created ? 201 : 200;
    response.setHeader('location', `${API_PREFIX}/jobs/${job.id}`);
    return job;
  }

  @Get()
  async list(
    @Query({ schema: jobQuerySchema }) { view, ...query }: z.output<typeof jobQuerySchema>,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const json =
      view === 'full'
        ? JSON.stringify(await this.jobs.list(query))
        : await this.jobs.summaries(query);
    // Express would take the hash of some megabytes for an ETag that nobody asks for.
    const body = Buffer.from(json);
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
    });
    response.end(body);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<JobView> {
    return this.jobs.get(id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('submitter')
  cancel(@Param('id') id: string, @Req() { principal = ANONYMOUS }: HttpRequest): Promise<JobView> {
    return this.jobs.cancel(id, principal);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @Access('submitter')
  pause(@Param('id') id: string, @Req() { principal = ANONYMOUS }: HttpRequest): Promise<JobView> {
    return this.jobs.pause(id, principal);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Access('submitter')
  resume(@Param('id') id: string, @Req() { principal = ANONYMOUS }: HttpRequest): Promise<JobView> {
    return this.jobs.resume(id, principal);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('submitter')
  remove(@Param('id') id: string, @Req() { principal = ANONYMOUS }: HttpRequest): Promise<void> {
    return this.removal.remove(id, principal);
  }

  @Get(':id/events')
  async events(
    @Param('id') jobId: string,
    @Query({ schema: eventsQuerySchema }) query: z.output<typeof eventsQuerySchema>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const follow = query.follow === 'true';
    const afterId =
      lastEventId === undefined ? null : validated(eventIdSchema, lastEventId, 'Last-Event-ID');
    await this.jobs.record(jobId);
    await this.streams.send({ jobId, afterId, follow, response, closing: this.closing });
  }

  @Get(':id/ledger')
  async ledger(@Param('id') id: string): Promise<LedgerView> {
    await this.jobs.record(id);
    return ledgerView(id, await this.store.histories.ledger(id));
  }

  @Get(':id/checkpoints')
  async checkpoints(@Param('id') id: string): Promise<{ items: CheckpointView[] }> {
    await this.jobs.record(id);
    return { items: await this.models.checkpoints(id) };
  }

  @Get(':id/model')
  async model(
    @Param('id') id: string,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const job = await this.jobs.record(id);
    const { bytes, sha256 } = await this.models.model(job);
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length,
      'content-disposition': `attachment; filename="${job.name}.safetensors"`,
      'cache-control': 'no-store',
      etag: `"${sha256}"`,
      'skipring-model-sha256': sha256,
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}
