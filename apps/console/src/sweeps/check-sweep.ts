import { firstTrials, trialSpec } from '@skipring/cluster';
import {
  fieldErrors,
  jobSpecSchema,
  sweepSpecSchema,
  type FieldError,
  type SweepSpec,
} from '@skipring/protocol';

/** Trials whose job is checked as one types; the coordinator checks all. */
const MAX_CHECKED = 32;

/** What is wrong with a sweep: by its own schema, and by that of the jobs it would submit. */
export function checkSweep(value: unknown): readonly FieldError[] {
  const result = sweepSpecSchema.safeParse(value);
  if (!result.success) return fieldErrors(result.error.issues, value);
  for (const trial of firstTrials(result.data).slice(0, MAX_CHECKED)) {
    const job = trialSpec(result.data, trial);
    const checked = jobSpecSchema.safeParse(job);
    if (!checked.success) {
      return fieldErrors(checked.error.issues, job).map((error) => placed(error, result.data));
    }
  }
  return [];
}

/** How many jobs a sweep begins with; null while something is wrong with it. */
export function numTrials(value: unknown): number | null {
  const result = sweepSpecSchema.safeParse(value);
  return result.success ? firstTrials(result.data).length : null;
}

/** An error of a trial's job at the field of the sweep where its value comes from. */
function placed({ field, value, expected }: FieldError, { parameters }: SweepSpec): FieldError {
  const name = field.slice(1).replaceAll('/', '.');
  const parameter = parameters[name];
  if (parameter === undefined) return { field: `/job${field}`, value, expected };
  const part = 'values' in parameter ? 'values' : 'min';
  return { field: `/parameters/${name}/${part}`, value, expected: `${expected}, not ${value}` };
}
