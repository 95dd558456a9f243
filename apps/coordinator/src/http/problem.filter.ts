import { Catch, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Logger } from 'pino';
import { allowedMethods, type RouteSource } from './allowed-methods.js';
import type { HttpRequest, HttpResponse } from './messages.js';
import { problemOf } from './problem-of.js';
import { HttpProblem } from './problem.js';

/** Answers every error with problem details (RFC 9457); stack traces go to the log alone. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Logger,
    private readonly routes: () => RouteSource,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<HttpRequest>(), http.getResponse<HttpResponse>());
  }

  answer(error: unknown, request: HttpRequest, response: HttpResponse): void {
    const problem = error instanceof NotFoundException ? this.unmatched(request) : problemOf(error);
    if (problem.status >= 500) {
      this.log.error({ err: error, code: problem.code, method: request.method }, problem.message);
    }
    sendProblem(response, problem);
  }

  /** Nest's own "not found": no route has this path, or none has this method. */
  private unmatched(request: HttpRequest): HttpProblem {
    const path = request.originalUrl.replace(/[?#].*$/s, '');
    const method = request.method ?? '';
    const allowed = allowedMethods(this.routes(), path);
    if (allowed.length === 0) {
      return new HttpProblem('ROUTE_UNKNOWN', `no route ${path.slice(0, 200)}`);
    }
    return new HttpProblem(
      'METHOD_NOT_ALLOWED',
      `the method is ${method}, expected ${allowed.join(' or ')}`,
      [],
      { allow: allowed.join(', ') },
    );
  }
}

/** An answer that is under way can only be cut off, so that it does not look complete. */
export function sendProblem(response: HttpResponse, problem: HttpProblem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    ...problem.headers,
  });
  response.end(JSON.stringify(problem.body()));
}
