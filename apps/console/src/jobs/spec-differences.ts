import type { JobSpec } from '@skipring/protocol';

export interface Difference {
  /** Such as `training.learningRate`. */
  readonly field: string;
  /** Of each spec; a dash where it has no such field. */
  readonly values: readonly string[];
}

/** Fields in which specs differ; a name is none of them. */
export function specDifferences(specs: readonly JobSpec[]): Difference[] {
  const flat = specs.map((spec) => new Map(leavesOf('', spec)));
  const fields = new Set(flat.flatMap((leaves) => [...leaves.keys()]));
  fields.delete('name');
  return [...fields]
    .map((field) => ({ field, values: flat.map((leaves) => leaves.get(field) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

function leavesOf(path: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value === undefined
      ? []
      : [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(path === '' ? name : `${path}.${name}`, inner),
  );
}
