import { Controller, Get } from '@nestjs/common';
import { jobSpecSchema } from '@skipring/protocol';
import { z } from 'zod';

/** What users write, as JSON schemas: for editors, and for the console's form. */
@Controller('schemas')
export class SchemasController {
  private readonly jobSchema = {
    title: 'Skipring job',
    ...z.toJSONSchema(jobSpecSchema, { io: 'input' }),
  };

  @Get('job')
  job(): object {
    return this.jobSchema;
  }
}
