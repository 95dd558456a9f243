import { HttpException } from '@nestjs/common';
import { CheckpointError } from '@skipring/checkpoint';
import { StoreError } from '@skipring/redis';
import { HttpProblem, type ProblemCode } from './problem.js';

const CHECKPOINT_PROBLEMS: Record<CheckpointError['code'], ProblemCode> = {
  INVALID_SAFETENSORS: 'CHECKPOINT_INVALID',
  INVALID_SNAPSHOT: 'CHECKPOINT_INVALID',
  UNSAFE_ID: 'JOB_UNKNOWN',
  STALE_FENCE: 'ATTEMPT_STALE',
  DAMAGED_CHECKPOINT: 'CHECKPOINT_DAMAGED',
  NOT_FOUND: 'CHECKPOINT_UNKNOWN',
  STORAGE_FULL: 'STORAGE_FULL',
  STORAGE_FAILED: 'STORAGE_FAILED',
  INVALID_LOCATION: 'INTERNAL',
};

/** What the sender is told of any error; one that nobody foresaw tells nothing of the inside. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof StoreError) return storeProblem(error);
  if (error instanceof CheckpointError) return checkpointProblem(error);
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  if (status !== null && status >= 400 && status < 500) {
    return new HttpProblem('REQUEST_MALFORMED', 'the path or a header is malformed');
  }
  return new HttpProblem('INTERNAL', 'an unexpected error; the log of the coordinator has it');
}

function storeProblem({ code, message }: StoreError): HttpProblem {
  switch (code) {
    case 'STORE_UNAVAILABLE':
      return new HttpProblem(code, 'Redis does not answer; try again', [], { 'retry-after': '2' });
    case 'LEADERSHIP_LOST':
      return new HttpProblem('NOT_LEADER', message, [], { 'retry-after': '2' });
    case 'IDEMPOTENCY_KEY_REUSED':
    case 'QUOTA_EXCEEDED':
      return new HttpProblem(code, message);
    case 'STORE_CORRUPT':
      return new HttpProblem('INTERNAL', message);
  }
}

function checkpointProblem({ code, message }: CheckpointError): HttpProblem {
  return new HttpProblem(CHECKPOINT_PROBLEMS[code], message);
}

/** Express marks its own errors with a status. */
function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('status' in error)) return null;
  return typeof error.status === 'number' ? error.status : null;
}
