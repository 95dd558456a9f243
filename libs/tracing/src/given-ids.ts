import { RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace';
import type { StepIds } from './step-ids.js';

/** Random ids, but for spans that are started within `using`. */
export class GivenIds implements IdGenerator {
  private readonly random = new RandomIdGenerator();
  private given: StepIds | null = null;

  using<T>(ids: StepIds, start: () => T): T {
    this.given = ids;
    try {
      return start();
    } finally {
      this.given = null;
    }
  }

  generateTraceId(): string {
    return this.given?.traceId ?? this.random.generateTraceId();
  }

  generateSpanId(): string {
    return this.given?.spanId ?? this.random.generateSpanId();
  }
}
