import { jobEventSchema, type JobEvent } from '@skipring/protocol';
import { z } from 'zod';
import { ResponseError } from './errors.js';

const kinds: ReadonlySet<string> = new Set(
  jobEventSchema.options.map(({ shape }) => shape.type.value),
);
const anyEventSchema = z.object({ id: z.string(), type: z.string() });

/**
 * An event as it was sent; null when it is of a kind that a later version of the coordinator has.
 * @throws ResponseError when it is no event
 */
export function parseEvent(text: string): JobEvent | null {
  const json = parseJson(text);
  const parsed = jobEventSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const other = anyEventSchema.safeParse(json);
  if (other.success && !kinds.has(other.data.type)) return null;
  throw new ResponseError(
    `an event is not of this API version: ${parsed.error.issues[0]?.message ?? ''}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
