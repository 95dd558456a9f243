import type { AuditStore } from '@skipring/redis';
import type { Logger } from 'pino';
import type { Middleware } from '../http/messages.js';

const MAX_PATH_LENGTH = 200;
const READING = ['GET', 'HEAD', 'OPTIONS'];
const FORBIDDEN = 403;

/**
 * Writes down every request of a known user that changes something or was forbidden, once it is
 * answered. Requests of nobody are left out, or they could push the others out of the log; they are
 * counted in the metrics.
 */
export function auditTrail(audit: Pick<AuditStore, 'add'>, log: Logger): Middleware {
  return (request, response, next) => {
    // After the end of its connection a request no longer knows where it came from.
    const address = request.socket.remoteAddress ?? '';
    response.once('close', () => {
      const { principal, method = '' } = request;
      const { statusCode: status } = response;
      if (principal === undefined) return;
      if (READING.includes(method) && status !== FORBIDDEN) return;
      const made = response.getHeader('location');
      const path = typeof made === 'string' ? made : request.originalUrl.replace(/[?#].*$/s, '');
      const { name: actor, role } = principal;
      const entry = {
        time: new Date().toISOString(),
        ...{ actor, role, address, method, status },
        path: path.slice(0, MAX_PATH_LENGTH),
      };
      audit.add(entry).catch((error: unknown) => {
        log.warn({ err: error, ...entry }, 'an entry of the audit log could not be stored');
      });
    });
    next();
  };
}
