import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { fieldErrors } from '@skipring/protocol';
import { z } from 'zod';
import { HttpProblem } from './problem.js';

/** Checks each handler argument that names a zod schema, and replaces it by the schema's output. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const { schema } = metadata;
    return schema instanceof z.ZodType ? validated(schema, value, metadata.data) : value;
  }
}

/**
 * The schema's output.
 * @param name of the parameter where the input is one; a body has none
 * @throws HttpProblem REQUEST_INVALID with every problem
 */
export function validated<T extends z.ZodType>(
  schema: T,
  input: unknown,
  name?: string,
): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = fieldErrors(result.error.issues, input);
  throw invalid(
    name === undefined ? errors : errors.map((error) => ({ ...error, field: name + error.field })),
  );
}

/** REQUEST_INVALID; its detail names the first field and the number of others. */
export function invalid(errors: ReturnType<typeof fieldErrors>): HttpProblem {
  const [first] = errors;
  const others = errors.length - 1;
  const detail =
    first === undefined
      ? 'the request is not valid'
      : `${first.field === '' ? 'the body' : first.field} is ${first.value}, expected ${first.expected}` +
        (others > 0 ? `; and ${others} more` : '');
  return new HttpProblem('REQUEST_INVALID', detail, errors);
}
