import { z } from 'zod';

/** What a job does about a worker that holds up the others; each does what those before it do. */
export const stragglerPolicies = ['report', 'rebalance', 'replace'] as const;
export type StragglerPolicy = (typeof stragglerPolicies)[number];

/** Parts of a step that a rank spends on its own work; in the others it waits for its peers. */
export const stragglerParts = ['data', 'compute', 'apply'] as const;
export type StragglerPart = (typeof stragglerParts)[number];

/** A member that holds up the others. */
export const stragglerSchema = z.strictObject({
  workerId: z.string(),
  rank: z.int().min(0),
  host: z.string(),
  /** Where it loses most: waiting for its batches, computing, or applying. */
  part: z.enum(stragglerParts),
  /** Its time for a lane over that of the median member. */
  ratio: z.number().min(0),
});
export type Straggler = z.output<typeof stragglerSchema>;

/** A straggler in words. */
export function describeStraggler({
  workerId,
  rank,
  host,
  part,
  ratio,
  state,
}: Straggler & { readonly state: 'slow' | 'recovered' }): string {
  const who = `worker ${workerId} (rank ${rank}, host ${host})`;
  if (state === 'recovered') return `${who} keeps up with the others again`;
  const times = `${ratio.toFixed(1)} times as long as the others`;
  return `${who} is slow: a lane takes it ${times}, mostly in ${part}`;
}
