import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import { API_PREFIX, sweepSpecSchema, type SweepSpec, type SweepView } from '@skipring/protocol';
import { Access } from '../access/access.guard.js';
import { ANONYMOUS } from '../access/principal.js';
import type { HttpRequest, HttpResponse } from '../http/messages.js';
import { SWEEPS } from '../tokens.js';
import type { SweepsService } from './sweeps.service.js';

@Controller('sweeps')
@Access('viewer')
export class SweepsController {
  constructor(@Inject(SWEEPS) private readonly sweeps: SweepsService) {}

  @Post()
  @Access('submitter')
  async submit(
    @Body({ schema: sweepSpecSchema }) spec: SweepSpec,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() { principal = ANONYMOUS }: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<SweepView> {
    const { sweep, created } = await this.sweeps.submit(spec, principal, idempotencyKey);
    response.statusCode = created ? 201 : 200;
    response.setHeader('location', `${API_PREFIX}/sweeps/${sweep.id}`);
    return sweep;
  }

  @Get()
  async list(): Promise<{ items: SweepView[] }> {
    return { items: await this.sweeps.list() };
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<SweepView> {
    return this.sweeps.get(id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('submitter')
  cancel(
    @Param('id') id: string,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<SweepView> {
    return this.sweeps.cancel(id, principal);
  }
}
