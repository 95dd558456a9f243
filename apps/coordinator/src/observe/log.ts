import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { CoordinatorOptions } from '../options.js';

/**
 * One JSON object a line on standard output; tokens never get in. Lines are written at once: the
 * default writes behind, and the last line before an exit overtakes one that is on its way.
 */
export function createLog(
  level: CoordinatorOptions['logLevel'],
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  const options = {
    level,
    base: { app: 'coordinator' },
    redact: ['*.authorization', '*.headers.authorization', 'ringToken', '*.ringToken'],
  };
  return pino(options, destination);
}

/** What Nest itself has to say: warnings and errors, in the same log. */
export function nestLog(log: Logger): LoggerService {
  return {
    log: (message: unknown) => {
      log.debug(String(message));
    },
    warn: (message: unknown) => {
      log.warn(String(message));
    },
    error: (message: unknown) => {
      log.error(String(message));
    },
  };
}
