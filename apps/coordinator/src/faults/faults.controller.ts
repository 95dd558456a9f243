import { Body, Controller, Get, Inject, Param, Post, Res } from '@nestjs/common';
import { faultRequestSchema, type FaultRequest, type FaultView } from '@skipring/protocol';
import { Access } from '../access/access.guard.js';
import type { HttpResponse } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import { FAULTS } from '../tokens.js';
import type { FaultDesk } from './fault-desk.js';

/** Faults on purpose, for tests of a cluster; off unless the coordinator was told to take them. */
@Controller('faults')
@Access('admin')
export class FaultsController {
  constructor(@Inject(FAULTS) private readonly faults: { readonly desk: FaultDesk | null }) {}

  @Post()
  arm(@Body({ schema: faultRequestSchema }) request: FaultRequest): FaultView {
    return this.desk().arm(request);
  }

  @Get()
  list(): { items: FaultView[] } {
    return { items: this.desk().list() };
  }

  @Post(':id/cancel')
  cancel(@Param('id') id: string, @Res({ passthrough: true }) response: HttpResponse): FaultView {
    const view = this.desk().cancel(id);
    response.statusCode = 200;
    return view;
  }

  private desk(): FaultDesk {
    if (this.faults.desk !== null) return this.faults.desk;
    throw new HttpProblem(
      'FAULTS_DISABLED',
      'this cluster takes no faults: start the coordinator and its workers with SKIPRING_FAULTS=1',
    );
  }
}
