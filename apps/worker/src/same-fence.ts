import type { Fence } from '@skipring/protocol';

/** Whether two fences name the same generation. */
export function isSameFence(a: Fence, b: Fence): boolean {
  return a.jobId === b.jobId && a.attempt === b.attempt && a.generation === b.generation;
}
