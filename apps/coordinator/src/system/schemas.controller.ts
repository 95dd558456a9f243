import { Controller, Get } from '@nestjs/common';
import { jobSpecSchema, sweepSpecSchema } from '@skipring/protocol';
import { z } from 'zod';
import { Access } from '../access/access.guard.js';

/** What users write, as JSON schemas: for editors, and for the console's form. */
@Controller('schemas')
@Access('viewer')
export class SchemasController {
  private readonly jobSchema = {
    title: 'Skipring job',
    ...z.toJSONSchema(jobSpecSchema, { io: 'input' }),
  };

  private readonly sweepSchema = {
    title: 'Skipring sweep',
    ...z.toJSONSchema(sweepSpecSchema, { io: 'input' }),
  };

  @Get('job')
  job(): object {
    return this.jobSchema;
  }

  @Get('sweep')
  sweep(): object {
    return this.sweepSchema;
  }
}
