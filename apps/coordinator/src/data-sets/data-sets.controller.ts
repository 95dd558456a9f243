import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import {
  dataSetRegistrationSchema,
  type DataSetRegistration,
  type DataSetView,
} from '@skipring/protocol';
import { Access } from '../access/access.guard.js';
import { ANONYMOUS } from '../access/principal.js';
import type { HttpRequest, HttpResponse } from '../http/messages.js';
import { DATA_SETS } from '../tokens.js';
import type { DataSetsService } from './data-sets.service.js';

@Controller('data-sets')
@Access('viewer')
export class DataSetsController {
  constructor(@Inject(DATA_SETS) private readonly dataSets: DataSetsService) {}

  @Post()
  @Access('submitter')
  async register(
    @Body({ schema: dataSetRegistrationSchema }) registration: DataSetRegistration,
    @Req() { principal = ANONYMOUS }: HttpRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<DataSetView> {
    const { view, isNew } = await this.dataSets.register(registration, principal);
    response.statusCode = isNew ? 201 : 200;
    return view;
  }

  @Get()
  async list(): Promise<{ items: DataSetView[] }> {
    return { items: await this.dataSets.list() };
  }

  @Get(':name')
  get(@Param('name') name: string): Promise<DataSetView> {
    return this.dataSets.get(name);
  }

  @Delete(':name')
  @HttpCode(204)
  @Access('submitter')
  remove(
    @Param('name') name: string,
    @Req() { principal = ANONYMOUS }: HttpRequest,
  ): Promise<void> {
    return this.dataSets.remove(name, principal);
  }
}
