import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

type ResultCallback = Parameters<SpanExporter['export']>[1];

const REPORT_INTERVAL_MS = 60_000;

/** Hands on to another exporter, and tells of failures, which OpenTelemetry keeps to itself. */
export class ReportingExporter implements SpanExporter {
  private reportedAt = -Infinity;

  constructor(
    private readonly inner: SpanExporter,
    private readonly onProblem: (error: Error) => void,
  ) {}

  export(spans: ReadableSpan[], done: ResultCallback): void {
    this.inner.export(spans, (result) => {
      if (result.error !== undefined) this.report(result.error);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.inner.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }

  private report(error: Error): void {
    const now = performance.now();
    if (now - this.reportedAt < REPORT_INTERVAL_MS) return;
    this.reportedAt = now;
    this.onProblem(error);
  }
}
