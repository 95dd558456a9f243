import type { JobSpec } from '@skipring/protocol';
import type { Hello } from './messages.js';

/** Whether a worker has the settings that are part of what fixes the bits of a job's result. */
export function fits(
  { device, threads, tf32 = true }: Pick<Hello, 'device' | 'threads' | 'tf32'>,
  { workers }: Pick<JobSpec, 'workers'>,
): boolean {
  if (threads !== workers.threads) return false;
  return device.kind === 'cpu' || tf32 === workers.tf32;
}

/** Equal for jobs that the same workers fit. */
export function settingsOf({ workers }: Pick<JobSpec, 'workers'>): string {
  return `${workers.threads} ${workers.tf32}`;
}
