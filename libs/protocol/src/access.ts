import { z } from 'zod';
import { nameSchema } from './job-spec.js';

/** What a token may do; each role may do all that those before it may. */
export const roles = ['viewer', 'submitter', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Whether a role may do all that `needed` may. */
export function hasRole(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** Names of principals that no token may have: the token of the configuration, and no token at all. */
export const reservedNames = ['root', 'anonymous'] as const;

const positiveInt = z.int().min(1);
const MAX_LIFETIME_MS = 10 * 366 * 86_400_000;
const DAY_MS = 86_400_000;

/** What a token's holder may use at most; null: no limit of its own. */
export const tokenLimitsSchema = z.strictObject({
  requestsPerSecond: positiveInt.max(100_000).nullable().default(null),
  openJobs: positiveInt
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe('jobs that have not ended, at a time'),
  workers: positiveInt
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe('sum of workers.max over the jobs that have not ended'),
  storageBytes: positiveInt
    .max(Number.MAX_SAFE_INTEGER)
    .nullable()
    .default(null)
    .describe('checkpoints of its jobs and data sets; above it no job and no data set is taken'),
});
export type TokenLimits = z.output<typeof tokenLimitsSchema>;

/** What an admin asks for. */
export const tokenRequestSchema = z.strictObject({
  name: nameSchema.refine((name) => !(reservedNames as readonly string[]).includes(name), {
    message: `expected another name than ${reservedNames.join(' and ')}`,
  }),
  role: z.enum(roles),
  expiresInMs: positiveInt
    .max(MAX_LIFETIME_MS)
    .nullable()
    .default(90 * DAY_MS),
  limits: tokenLimitsSchema.prefault({}),
});
export type TokenRequest = z.output<typeof tokenRequestSchema>;
/** As a user writes it. */
export type TokenRequestInput = z.input<typeof tokenRequestSchema>;

/** How long the secret before the rotation goes on to be taken, so that its holders can change over. */
export const tokenRotationSchema = z.strictObject({
  overlapMs: z
    .int()
    .min(0)
    .max(7 * DAY_MS)
    .default(0),
});

/** A token as it is listed: never with its secret. */
export const tokenViewSchema = z.strictObject({
  name: z.string(),
  role: z.enum(roles),
  limits: tokenLimitsSchema,
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  expiresAt: z.iso.datetime().nullable(),
  rotatedAt: z.iso.datetime().nullable(),
});
export type TokenView = z.output<typeof tokenViewSchema>;

/** The answer to a creation or rotation: the only one that has the secret. */
export const newTokenSchema = tokenViewSchema.extend({ token: z.string() });
export type NewToken = z.output<typeof newTokenSchema>;

/** Who sends the request that this answers. */
export const principalViewSchema = z.strictObject({
  name: z.string(),
  role: z.enum(roles),
  limits: tokenLimitsSchema,
  expiresAt: z.iso.datetime().nullable(),
});
export type PrincipalView = z.output<typeof principalViewSchema>;

/** A change, or an attempt at what the role does not allow. */
export const auditEntrySchema = z.strictObject({
  id: z.string(),
  time: z.iso.datetime(),
  /** Name of the token; `root` is that of the configuration. */
  actor: z.string(),
  role: z.enum(roles),
  address: z.string(),
  method: z.string(),
  /** What was asked for; of a creation, what was made. */
  path: z.string(),
  status: z.int(),
});
export type AuditEntry = z.output<typeof auditEntrySchema>;

export const auditPageSchema = z.strictObject({
  items: z.array(auditEntrySchema),
  /** Pass as `cursor` for the next page; null on the last. */
  nextCursor: z.string().nullable(),
});
export type AuditPage = z.output<typeof auditPageSchema>;
