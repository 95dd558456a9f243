import type { z } from 'zod';
import type { SchemaName } from './schemas.js';

/** One route of the API, as documented. */
export interface Operation {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** With parameters in braces. */
  readonly path: string;
  readonly tag:
    'jobs' | 'data sets' | 'workers' | 'sweeps' | 'access' | 'webhooks' | 'faults' | 'system';
  readonly id: string;
  readonly summary: string;
  /** Of parameters in the path that are not just any text. */
  readonly parameters?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  readonly headers?: Readonly<Record<string, { schema?: z.ZodType; description: string }>>;
  readonly body?: SchemaName;
  readonly isBodyOptional?: boolean;
  /** Success: by status, a schema's name, a media type, or null for no content. */
  readonly success: Readonly<Record<number, SchemaName | { readonly mediaType: string } | null>>;
  /** Statuses of problems besides 401, 403, 429, 500 and 503. */
  readonly problems: readonly number[];
  readonly isPublic?: boolean;
}
