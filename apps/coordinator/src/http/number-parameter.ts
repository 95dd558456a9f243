import { z } from 'zod';

/**
 * A number that comes as text, in a path or a query.
 * @param schema what it must be; `Number` alone would take an empty text for 0
 */
export function numberParameter(schema: z.ZodNumber) {
  const isText = (given: unknown): given is string =>
    typeof given === 'string' && given.trim() !== '';
  return z.preprocess((given) => (isText(given) ? Number(given) : given), schema);
}
