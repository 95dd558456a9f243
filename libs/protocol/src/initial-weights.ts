import { z } from 'zod';

/** Where a model's first values come from, in place of the seed's. */
export const initialWeightsSchema = z
  .strictObject({
    job: z
      .string()
      .regex(/^job-[0-9a-z]{1,60}$/, 'expected the id of a job')
      .optional()
      .describe('its model; or give file'),
    file: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe("a safetensors file in the coordinator's data roots; or give job"),
    head: z
      .enum(['load', 'keep'])
      .default('load')
      .describe('keep: the classifier starts from the seed, for other classes'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
      .optional()
      .describe('of the file; filled in when the job is submitted, and checked when given'),
  })
  .refine(({ job, file }) => (job === undefined) !== (file === undefined), {
    path: ['job'],
    message: 'expected exactly one of job and file',
  });
export type InitialWeights = z.output<typeof initialWeightsSchema>;
