import { Controller, Get, Inject, Param, Post, Res } from '@nestjs/common';
import type { WorkerView } from '@skipring/protocol';
import { Access } from '../access/access.guard.js';
import type { HttpResponse } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import type { Scheduler } from '../scheduling/ports.js';
import { SCHEDULER } from '../tokens.js';

@Controller('workers')
@Access('viewer')
export class WorkersController {
  constructor(@Inject(SCHEDULER) private readonly scheduler: Scheduler) {}

  @Get()
  list(): { items: WorkerView[] } {
    return { items: this.scheduler.workers() };
  }

  @Get(':id')
  get(@Param('id') id: string): WorkerView {
    const worker = this.scheduler.workers().find((candidate) => candidate.id === id);
    if (worker === undefined) throw unknownWorker(id);
    return worker;
  }

  /** A worker that drains already goes on draining. */
  @Post(':id/drain')
  @Access('admin')
  drain(@Param('id') id: string, @Res({ passthrough: true }) response: HttpResponse): WorkerView {
    const before = this.get(id);
    if (!this.scheduler.drain(id)) throw unknownWorker(id);
    response.statusCode = 200;
    // An idle worker is released at once, and gone from the list.
    const now = this.scheduler.workers().find((candidate) => candidate.id === id);
    return now ?? { ...before, state: 'draining' };
  }
}

function unknownWorker(id: string): HttpProblem {
  return new HttpProblem('WORKER_UNKNOWN', `no worker ${id} is connected`);
}
