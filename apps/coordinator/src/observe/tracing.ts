import type { TracesTarget, Tracing } from '@skipring/tracing';
import type { Logger } from 'pino';

/** OpenTelemetry is loaded only where it is asked for. */
export async function openTracing(
  target: TracesTarget | null,
  instanceId: string,
  log: Logger,
): Promise<Tracing | null> {
  if (target === null) return null;
  const { startTracing } = await import('@skipring/tracing');
  return startTracing({
    ...target,
    serviceName: 'skipring-coordinator',
    instanceId,
    onProblem: (error) => {
      log.warn({ err: error }, 'spans are not delivered');
    },
  });
}
