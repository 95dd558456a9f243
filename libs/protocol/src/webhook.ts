import { z } from 'zod';
import { finalJobStates, jobStates } from './events.js';
import { nameSchema } from './job-spec.js';

const urlSchema = z
  .url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' })
  .max(2_000)
  .refine((text) => isPlain(text), { message: 'expected a URL without user, password and #' })
  .describe('http or https; redirections are not followed');
const statesSchema = z
  .array(z.enum(jobStates))
  .min(1)
  .max(jobStates.length)
  .describe('told when a job comes into one of these');

/** Where changes of jobs are told. */
export const webhookRequestSchema = z.strictObject({
  name: nameSchema,
  url: urlSchema,
  states: statesSchema.default([...finalJobStates]),
});
export type WebhookRequest = z.output<typeof webhookRequestSchema>;
export type WebhookRequestInput = z.input<typeof webhookRequestSchema>;

/** What is changed of a webhook; the rest stays. */
export const webhookChangeSchema = z
  .strictObject({
    url: urlSchema,
    states: statesSchema,
    enabled: z.boolean().describe('false: it is told nothing until it is enabled again'),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'expected url, states or enabled');
export type WebhookChange = z.output<typeof webhookChangeSchema>;

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
  enabled: z.boolean(),
  /** Why it is told nothing, and since when; null while it is enabled. */
  disabled: z.strictObject({ reason: z.string(), since: z.iso.datetime() }).nullable(),
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
  /** Sent by a test of the webhook: no job has changed, and there is none of this id. */
  test: z.literal(true).optional(),
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

/** What became of a test delivery, which is tried once. */
export const webhookTestSchema = deliveryTrySchema
  .pick({ id: true, time: true, status: true, error: true, tookMs: true })
  .extend({ outcome: z.enum(['delivered', 'failed']) });
export type WebhookTest = z.output<typeof webhookTestSchema>;

/** Header with `t=SECONDS,v1=HEX`: HMAC-SHA-256 of `SECONDS.BODY`. After a rotation with two `v1`. */
export const SIGNATURE_HEADER = 'skipring-signature';
