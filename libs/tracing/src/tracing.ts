import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { GivenIds } from './given-ids.js';
import { ReportingExporter } from './reporting-exporter.js';
import { StepTracer } from './step-tracer.js';

export interface TracesTarget {
  /** Where spans go, as OTLP over HTTP: `http://collector:4318/v1/traces`. */
  readonly url: string;
  /** 1: every step is drawn; n: those whose number n divides. */
  readonly everySteps: number;
}

export interface TracingOptions extends TracesTarget {
  readonly serviceName: 'skipring-coordinator' | 'skipring-worker';
  /** Which one of them. */
  readonly instanceId: string;
  /** Called when spans could not be delivered, at most once a minute. */
  readonly onProblem: (error: Error) => void;
}

export interface Tracing {
  readonly steps: StepTracer;
  /** Sends what is left, within the deadline. */
  close(): Promise<void>;
}

/** Spans that wait; more are dropped, so that a collector that is away costs no memory. */
const MAX_WAITING_SPANS = 4_096;
const MAX_BATCH_SPANS = 512;
const DELAY_MS = 1_000;
const EXPORT_DEADLINE_MS = 2_000;

/** Begins to send spans. Nothing of OpenTelemetry is global: a process may have several. */
export function startTracing(options: TracingOptions): Tracing {
  const { url, everySteps, serviceName, instanceId, onProblem } = options;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_DEADLINE_MS });
  const processor = new BatchSpanProcessor({
    exporter: new ReportingExporter(exporter, onProblem),
    maxQueueSize: MAX_WAITING_SPANS,
    maxExportBatchSize: MAX_BATCH_SPANS,
    scheduledDelayMillis: DELAY_MS,
    exportTimeoutMillis: EXPORT_DEADLINE_MS,
  });
  const ids = new GivenIds();
  const provider = new TracerProvider({
    idGenerator: ids,
    spanProcessors: [processor],
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.instance.id': instanceId,
    }),
  });
  return {
    steps: new StepTracer(provider.getTracer('skipring'), ids, everySteps),
    close: () => provider.shutdown().catch(onProblem),
  };
}
