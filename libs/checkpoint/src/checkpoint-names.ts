import type { Fence } from '@skipring/protocol';
import { CheckpointError } from './checkpoint-error.js';

/** What a checkpoint's directory is called: its step, and who saved it. */
export interface CheckpointName {
  readonly step: number;
  readonly attempt: number;
  readonly generation: number;
}

/** Directories of saves in progress, and of what is being removed, start with this. */
export const TEMPORARY_PREFIX = '.tmp-';

export function directoryName({ step, attempt, generation }: CheckpointName): string {
  return `step-${String(step).padStart(10, '0')}-a${attempt}-g${generation}`;
}

export function parseDirectoryName(name: string): CheckpointName | null {
  const match = /^step-(\d{10})-a(\d{1,9})-g(\d{1,9})$/.exec(name);
  if (match === null) return null;
  const [step = 0, attempt = 0, generation = 0] = match.slice(1).map(Number);
  return { step, attempt, generation };
}

/** Orders newest first: by step, then by who saved it. */
export function byNewest(a: CheckpointName, b: CheckpointName): number {
  return b.step - a.step || compareFences(b, a);
}

/** Negative when `a` was replaced by `b`. */
export function compareFences(
  a: Pick<Fence, 'attempt' | 'generation'>,
  b: Pick<Fence, 'attempt' | 'generation'>,
): number {
  return a.attempt - b.attempt || a.generation - b.generation;
}

/** Throws UNSAFE_ID unless a job id is a plain name, which can't lead out of its directory. */
export function requireSafeId(jobId: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(jobId)) return;
  throw new CheckpointError(
    'UNSAFE_ID',
    `jobId is ${JSON.stringify(jobId.slice(0, 80))}; expected 1 to 64 of A-Z a-z 0-9 . _ - ` +
      'beginning with a letter or digit',
  );
}
