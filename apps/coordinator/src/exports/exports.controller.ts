import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { EXPORT_FILES, exportFormats, type ExportFormat } from '@skipring/protocol';
import { z } from 'zod';
import { Access } from '../access/access.guard.js';
import type { HttpRequest, HttpResponse } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';
import { sendFile } from '../http/send-file.js';
import { EXPORTS } from '../tokens.js';
import type { ExportsService } from './exports.service.js';

const formatSchema = z.enum(exportFormats);

/** A job's model in the forms of PyTorch, TensorFlow.js and TensorFlow. */
@Controller('jobs')
@Access('viewer')
export class ExportsController {
  constructor(@Inject(EXPORTS) private readonly exports: ExportsService) {}

  @Get(':id/model/:format/:file')
  async file(
    @Param('id') id: string,
    @Param('format', { schema: formatSchema }) format: ExportFormat,
    @Param('file') name: string,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const names: readonly string[] = EXPORT_FILES[format];
    if (!names.includes(name)) {
      throw new HttpProblem('EXPORT_UNKNOWN', `${format} has ${names.join(' and ')}, not ${name}`);
    }
    const { path, tag } = await this.exports.file(id, format, name);
    await sendFile(request, response, path, tag);
  }
}
