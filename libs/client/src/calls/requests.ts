import { z } from 'zod';
import type { RequestOptions } from '../http.js';

/** An answer with a list. */
export const list = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

/** A request that makes one thing, however often it is sent. */
export const submission = (body: unknown, idempotencyKey: string): RequestOptions => ({
  method: 'POST',
  body,
  headers: { 'idempotency-key': idempotencyKey },
  repeatable: true,
});
