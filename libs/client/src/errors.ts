import type { Problem } from '@skipring/protocol';

/** The coordinator refused a request; `problem` is its RFC 9457 answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
  }
}

/** No answer came: the coordinator is down, the address is wrong or the deadline passed. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code = 'CONNECTION';
  constructor(url: string, options?: ErrorOptions) {
    super(`no answer from ${url}`, options);
  }
}

/** The answer is not what this version of the API promises. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
  readonly code = 'RESPONSE';
}
