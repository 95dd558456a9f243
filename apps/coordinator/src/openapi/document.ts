import type { OpenAPIObject } from '@nestjs/swagger';
import { API_VERSION } from '@skipring/protocol';
import { z } from 'zod';
import type { Operation } from './operation.js';
import { operations } from './operations.js';
import { componentSchemas, embedded, type SchemaName } from './schemas.js';

/** Statuses of problems that any route may answer with. */
const COMMON_PROBLEMS = [500, 503];
/** And those that any route may which asks for a token. */
const ACCESS_PROBLEMS = [401, 403, 429];

/** The OpenAPI 3.1 document of the API. */
export function openApiDocument(): OpenAPIObject {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describe(operation),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Skipring',
      version: API_VERSION,
      description:
        'Distributed data-parallel training. Every error is problem details (RFC 9457) with a ' +
        'stable `code`; `errors` names each faulty field of a request.',
    },
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: componentSchemas(),
    },
    paths,
  };
}

function describe(operation: Operation): Record<string, unknown> {
  const { tag, id, summary, body, success, problems, isPublic = false } = operation;
  const isBodyRequired = operation.isBodyOptional !== true;
  const statuses = [...problems, ...(isPublic ? [] : ACCESS_PROBLEMS), ...COMMON_PROBLEMS].sort();
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(isPublic ? { security: [] } : {}),
    parameters: parametersOf(operation),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: isBodyRequired,
            content: { 'application/json': reference(body) },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(success).map(([status, answer]) => [status, successAnswer(answer)]),
      ),
      ...Object.fromEntries(
        statuses.map((status) => [
          status,
          {
            description: 'Problem details',
            content: { 'application/problem+json': reference('Problem') },
          },
        ]),
      ),
    },
  };
}

function parametersOf({ path, parameters = {}, query, headers = {} }: Operation): unknown[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const schema = parameters[name];
    return {
      name,
      in: 'path',
      required: true,
      schema: schema === undefined ? { type: 'string' } : inlineSchema(schema),
    };
  });
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: inlineSchema(schema as z.ZodType),
  }));
  const inHeader = Object.entries(headers).map(([name, { schema, description }]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: schema === undefined ? { type: 'string' } : inlineSchema(schema),
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function successAnswer(answer: Operation['success'][number]): Record<string, unknown> {
  if (answer === null) return { description: 'Done' };
  return typeof answer === 'string'
    ? { description: answer, content: { 'application/json': reference(answer) } }
    : {
        description: answer.mediaType,
        content: { [answer.mediaType]: { schema: { type: 'string' } } },
      };
}

function reference(name: SchemaName): unknown {
  return { schema: { $ref: `#/components/schemas/${name}` } };
}

/** Output form: what a coerced parameter is after it was read from text. */
function inlineSchema(schema: z.ZodType): unknown {
  return embedded(z.toJSONSchema(schema, { io: 'output' }));
}
