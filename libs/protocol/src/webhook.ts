import { z } from 'zod';
import { finalJobStates, jobStates } from './events.js';
import { nameSchema } from './job-spec.js';

/** Where changes of jobs are told. */
export const webhookRequestSchema = z.strictObject({
  name: nameSchema,
  url: z
    .url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' })
    .max(2_000)
    .refine((text) => isPlain(text), { message: 'expected a URL without user, password and #' })
    .describe('http or https; redirections are not followed'),
  states: z
    .array(z.enum(jobStates))
    .min(1)
    .max(jobStates.length)
    .default([...finalJobStates])
    .describe('told when a job comes into one of these'),
});
export type WebhookRequest = z.output<typeof webhookRequestSchema>;
export type WebhookRequestInput = z.input<typeof webhookRequestSchema>;

function isPlain(text: string): boolean {
  // What is no URL is told already.
  if (!URL.canParse(text)) return true;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '';
}

/** As it is listed: never with its secret. */
export const webhookViewSchema = z.strictObject({
  ...webhookRequestSchema.shape,
  states: z.array(z.enum(jobStates)),
  owner: z.string(),
  /** Of an admin: told of all jobs, else of its owner's alone. */
  ofAllJobs: z.boolean(),
  createdAt: z.iso.datetime(),
  rotatedAt: z.iso.datetime().nullable(),
});
export type WebhookView = z.output<typeof webhookViewSchema>;

/** The answer to a registration or rotation, which alone has the secret that signs deliveries. */
export const newWebhookSchema = z.strictObject({ ...webhookViewSchema.shape, secret: z.string() });
export type NewWebhook = z.output<typeof newWebhookSchema>;

/** The body of a delivery. It may arrive twice: `id` is the same then. */
export const deliverySchema = z.strictObject({
  id: z.string(),
  jobId: z.string(),
  jobName: z.string(),
  owner: z.string(),
  state: z.enum(jobStates),
  reason: z.string(),
  attempt: z.int().min(0),
  /** When the job came into the state. */
  time: z.iso.datetime(),
});
export type Delivery = z.output<typeof deliverySchema>;

/** What became of one try to deliver; `dropped`: too many waited for a receiver that fails. */
export const deliveryTrySchema = z.strictObject({
  id: z.string(),
  jobId: z.string(),
  state: z.enum(jobStates),
  time: z.iso.datetime(),
  outcome: z.enum(['delivered', 'failed', 'dropped']),
  /** Of the receiver's answer; null when there was none. */
  status: z.int().nullable(),
  error: z.string().nullable(),
  tookMs: z.int().min(0),
});
export type DeliveryTry = z.output<typeof deliveryTrySchema>;

/** Header with `t=SECONDS,v1=HEX`: HMAC-SHA-256 of `SECONDS.BODY`. After a rotation with two `v1`. */
export const SIGNATURE_HEADER = 'skipring-signature';
