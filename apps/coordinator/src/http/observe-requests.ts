import type { CoordinatorMetrics } from '@skipring/metrics';
import type { Logger } from 'pino';
import type { Middleware } from './messages.js';

/** Measures every request by its route's pattern, and logs it. */
export function observeRequests(metrics: CoordinatorMetrics, log: Logger): Middleware {
  return (request, response, next) => {
    const startedMs = performance.now();
    response.once('close', () => {
      const durationMs = performance.now() - startedMs;
      const method = knownMethod(request.method);
      const route = request.route?.path ?? '(none)';
      metrics.observeRequest(method, route, response.statusCode, durationMs / 1_000);
      log.debug({ method, route, status: response.statusCode, durationMs }, 'request');
    });
    next();
  };
}

/** Keeps the label bounded: a client may send any word as its method. */
function knownMethod(method = ''): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].includes(method)
    ? method
    : '(other)';
}
