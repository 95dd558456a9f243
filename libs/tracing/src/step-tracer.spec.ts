import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { GivenIds } from './given-ids.js';
import { stepIds } from './step-ids.js';
import { StepTracer } from './step-tracer.js';

const fence = { jobId: 'job-a', attempt: 2, generation: 3 };
const metrics = {
  step: 8,
  epoch: 1,
  cursor: 512,
  loss: 0.5,
  accuracy: 0.75,
  learningRate: 0.1,
  samples: 512,
  stepMs: 250,
};
const parts = { dataWaitMs: 1, computeMs: 200, ringMs: 30, commitMs: 4, applyMs: 15 };
const NOW = 1_700_000_000_000;

function tracerOf(everySteps: number) {
  const exporter = new InMemorySpanExporter();
  const ids = new GivenIds();
  const provider = new TracerProvider({
    idGenerator: ids,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = new StepTracer(provider.getTracer('test'), ids, everySteps, () => NOW);
  return { tracer, spans: () => exporter.getFinishedSpans() };
}

const milliseconds = ([seconds, nanoseconds]: readonly [number, number]): number =>
  seconds * 1_000 + nanoseconds / 1e6;

describe('the ids of a step', () => {
  it('are a function of job, attempt, generation and step, and of nothing else', () => {
    expect(stepIds({ ...fence }, 8)).toEqual(stepIds(fence, 8));
    const others = [
      stepIds(fence, 9),
      stepIds({ ...fence, jobId: 'job-b' }, 8),
      stepIds({ ...fence, attempt: 3 }, 8),
      stepIds({ ...fence, generation: 4 }, 8),
    ];
    const all = [stepIds(fence, 8), ...others];
    expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(5);
    for (const { traceId, spanId } of all) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    }
  });
});

describe('a committed step', () => {
  it('is a span of the coordinator that ends now', () => {
    const { tracer, spans } = tracerOf(1);
    tracer.stepCommitted(fence, metrics);
    const [span] = spans();
    expect(span?.spanContext()).toMatchObject(stepIds(fence, 8));
    expect(span?.parentSpanContext).toBeUndefined();
    expect(milliseconds(span!.startTime)).toBe(NOW - 250);
    expect(milliseconds(span!.endTime)).toBe(NOW);
    expect(span?.attributes).toMatchObject({ 'job.id': 'job-a', attempt: 2, step: 8, loss: 0.5 });
  });

  it('has a span of each rank below it, and one for each part, end to end', () => {
    const { tracer, spans } = tracerOf(1);
    tracer.rankStep({ fence, step: 8, parts, samples: 256, ringBytes: 1_000 });
    const [rank] = spans().filter(({ name }) => name === 'rank');
    expect(rank?.parentSpanContext?.spanId).toBe(stepIds(fence, 8).spanId);
    expect(rank?.spanContext().traceId).toBe(stepIds(fence, 8).traceId);
    const inside = spans().filter(({ name }) => name !== 'rank');
    expect(inside.map(({ name }) => name)).toEqual(['data', 'compute', 'ring', 'vote', 'apply']);
    let at = NOW - 250;
    for (const [index, span] of inside.entries()) {
      expect(span.parentSpanContext?.spanId).toBe(rank?.spanContext().spanId);
      expect(milliseconds(span.startTime)).toBeCloseTo(at, 3);
      at += Object.values(parts)[index]!;
      expect(milliseconds(span.endTime)).toBeCloseTo(at, 3);
    }
    expect(milliseconds(rank!.endTime)).toBe(NOW);
  });

  it('is drawn by all processes or by none when only some are', () => {
    const { tracer, spans } = tracerOf(10);
    for (let step = 1; step <= 20; step++) {
      tracer.stepCommitted(fence, { ...metrics, step });
      tracer.rankStep({ fence, step, parts, samples: 1, ringBytes: 1 });
    }
    expect(new Set(spans().map(({ attributes }) => attributes.step ?? null))).toEqual(
      new Set([10, 20, null]),
    );
    expect(spans()).toHaveLength(2 * 7);
  });
});
