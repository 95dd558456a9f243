import type { FieldError, Problem } from '@skipring/protocol';

/** Every way in which a request can fail: status and title by code. Codes never change meaning. */
export const problemKinds = {
  REQUEST_INVALID: [422, 'The request is not valid'],
  BODY_NOT_JSON: [400, 'The body is not JSON'],
  BODY_INCOMPLETE: [400, 'The body is not complete'],
  BODY_TOO_SLOW: [408, 'The body did not arrive in time'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  CONTENT_TYPE_UNSUPPORTED: [415, 'The content type is not supported'],
  REQUEST_MALFORMED: [400, 'The request is malformed'],
  UNAUTHORIZED: [401, 'A valid token is needed'],
  FORBIDDEN: [403, 'The token does not allow this'],
  QUOTA_EXCEEDED: [403, 'The quota is used up'],
  RATE_LIMITED: [429, 'Too many requests'],
  SWEEP_UNKNOWN: [404, 'There is no such sweep'],
  SWEEP_FINAL: [409, 'The sweep has ended'],
  TOKEN_UNKNOWN: [404, 'There is no such token'],
  TOKEN_EXISTS: [409, 'The name belongs to another token'],
  WEBHOOK_UNKNOWN: [404, 'There is no such webhook'],
  WEBHOOK_EXISTS: [409, 'The name belongs to another webhook'],
  WEBHOOK_BUSY: [503, 'The receiver of the webhook is busy'],
  TOO_MANY_WEBHOOKS: [409, 'There are too many webhooks'],
  ROUTE_UNKNOWN: [404, 'There is no such route'],
  METHOD_NOT_ALLOWED: [405, 'The route does not take this method'],
  RANGE_NOT_SATISFIABLE: [416, 'The range lies outside the file'],
  IDEMPOTENCY_KEY_INVALID: [400, 'The idempotency key is not valid'],
  IDEMPOTENCY_KEY_REUSED: [409, 'The idempotency key belongs to another request'],
  JOB_UNKNOWN: [404, 'There is no such job'],
  JOB_FINAL: [409, 'The job has ended'],
  JOB_NOT_ENDED: [409, 'The job has not ended'],
  JOB_NOT_PAUSABLE: [409, 'The job cannot be paused'],
  JOB_NOT_RESUMABLE: [409, 'The job cannot be resumed'],
  MODEL_NOT_READY: [409, 'The job has no model yet'],
  EXPORT_UNKNOWN: [404, 'The export has no such file'],
  EXPORT_REFUSED: [409, 'The model cannot be exported in this form'],
  EXPORT_PENDING: [503, 'The export is being made'],
  CHECKPOINT_UNKNOWN: [404, 'There is no such checkpoint'],
  CHECKPOINT_INVALID: [422, 'The checkpoint is not valid'],
  CHECKPOINT_DAMAGED: [500, 'The checkpoint is damaged'],
  STORAGE_FULL: [507, 'No space is left for checkpoints'],
  STORAGE_FAILED: [503, 'The storage of checkpoints does not answer'],
  ATTEMPT_STALE: [409, 'A later attempt or generation has taken over'],
  DATA_SET_UNKNOWN: [404, 'There is no such data set'],
  DATA_SET_EXISTS: [409, 'The name belongs to another data set'],
  DATA_SET_IN_USE: [409, 'The data set is in use'],
  DATA_SET_NOT_READY: [409, 'The data set is not ready'],
  SAMPLE_UNKNOWN: [404, 'There is no such sample'],
  SHARD_UNKNOWN: [404, 'There is no such shard'],
  WORKER_UNKNOWN: [404, 'There is no such worker'],
  FAULTS_DISABLED: [403, 'Faults are not enabled'],
  FAULT_UNKNOWN: [404, 'There is no such fault'],
  FAULT_OVER: [409, 'The fault is not armed any more'],
  FAULT_REFUSED: [409, 'The worker takes no faults'],
  TOO_MANY_FAULTS: [409, 'Too many faults are armed'],
  TOO_MANY_UPLOADS: [503, 'Too many uploads are in progress'],
  TOO_MANY_WORKERS: [503, 'Too many workers are connected'],
  TOO_MANY_STREAMS: [503, 'Too many event streams are open'],
  STORE_UNAVAILABLE: [503, 'The store is not reachable'],
  NOT_LEADER: [503, 'Another coordinator leads'],
  SHUTTING_DOWN: [503, 'The coordinator is shutting down'],
  INTERNAL: [500, 'The coordinator failed'],
} as const satisfies Record<string, readonly [status: number, title: string]>;
export type ProblemCode = keyof typeof problemKinds;

/** A request failed for a reason that its sender is told. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  constructor(
    readonly code: ProblemCode,
    detail: string,
    readonly errors: readonly FieldError[] = [],
    readonly headers: Readonly<Record<string, string>> = {},
    options: ErrorOptions & { readonly status?: number } = {},
  ) {
    super(detail, options);
    this.status = options.status ?? problemKinds[code][0];
  }

  /** The body of the answer, as RFC 9457 has it. */
  body(): Problem {
    const [, title] = problemKinds[this.code];
    return {
      type: `urn:skipring:problem:${this.code.toLowerCase().replaceAll('_', '-')}`,
      title,
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors.length === 0 ? {} : { errors: [...this.errors] }),
    };
  }
}
