import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { RunStore } from '@skipring/redis';
import { Access } from '../access/access.guard.js';
import type { HttpResponse } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import { CLOSING, METRICS, RUN_STORE } from '../tokens.js';
import type { MetricsPage } from './metrics-page.js';

/** What the surroundings ask of the process: probes and Prometheus. */
@Controller()
@Access('everyone')
export class SystemController {
  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(METRICS) private readonly metrics: MetricsPage,
    @Inject(CLOSING) private readonly closing: AbortSignal,
  ) {}

  /** The process answers; it says nothing about Redis, as a restart would not bring that back. */
  @Get('health/live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Requests can be served: Redis answers and the coordinator is not stopping. */
  @Get('health/ready')
  async ready(): Promise<{ status: 'ok' }> {
    if (this.closing.aborted) throw new HttpProblem('SHUTTING_DOWN', 'the coordinator stops');
    await this.store.ping();
    return { status: 'ok' };
  }

  @Get('metrics')
  @Access('viewer')
  async page(@Res() response: HttpResponse): Promise<void> {
    const { contentType, text } = await this.metrics.render();
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
    response.end(text);
  }
}
