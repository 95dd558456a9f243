import type { Fence } from '@skipring/protocol';

/** A generation, as the key of a map. */
export function fenceKey({ jobId, attempt, generation }: Fence): string {
  return `${jobId}/${attempt}/${generation}`;
}
