import { stepIds, startTracing } from '@skipring/tracing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addGlyphs, smallJob, waitForJob } from '../support/cluster.js';
import {
  startOtlpReceiver,
  type OtlpReceiver,
  type ReceivedSpan,
} from '../support/otlp-receiver.js';
import { until } from '../support/until.js';
import { ProcessCluster } from './process-cluster.js';

const NUM_STEPS = 6;
const PARTS = ['data', 'compute', 'ring', 'vote', 'apply'];
/** Spans of a step on two workers. */
const NUM_SPANS = 1 + 2 * (1 + PARTS.length);

let receiver: OtlpReceiver;

afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver.stop();
});

const below = (spans: readonly ReceivedSpan[], parent: ReceivedSpan): ReceivedSpan[] =>
  spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
const nanoseconds = ({ startTimeUnixNano, endTimeUnixNano }: ReceivedSpan): bigint =>
  BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano);

describe('tracing', () => {
  it('draws one trace of a step over the coordinator and all ranks', async () => {
    receiver = await startOtlpReceiver();
    vi.stubEnv('SKIPRING_TRACES_URL', receiver.url);
    const cluster = await ProcessCluster.start(2);
    try {
      const dataSet = await addGlyphs(cluster.client, 64 * NUM_STEPS, 32);
      const { id } = await cluster.client.submit(
        smallJob(dataSet, {
          training: { steps: NUM_STEPS, learningRate: 0.05 },
          workers: { min: 2, max: 2 },
        }),
      );
      const job = await waitForJob(cluster.client, id, ({ state }) => state === 'succeeded');
      const { spans } = receiver;
      await until('all spans have come', () =>
        spans.length >= NUM_STEPS * NUM_SPANS ? true : null,
      );
      expect(spans).toHaveLength(NUM_STEPS * NUM_SPANS);

      for (let step = 1; step <= NUM_STEPS; step++) {
        const fence = { jobId: id, attempt: job.attempt, generation: job.generation };
        const { traceId, spanId } = stepIds(fence, step);
        const trace = spans.filter((span) => span.traceId === traceId);
        const [root] = trace.filter(({ parentSpanId }) => !parentSpanId);
        expect(root).toMatchObject({ name: 'step', spanId, service: 'skipring-coordinator' });

        const ranks = below(trace, root!);
        expect(ranks.map(({ name }) => name)).toEqual(['rank', 'rank']);
        expect(new Set(ranks.map(({ instance }) => instance))).toEqual(
          new Set(['worker-1', 'worker-2']),
        );
        for (const rank of ranks) {
          const parts = below(trace, rank);
          expect(parts.map(({ name }) => name)).toEqual(PARTS);
          const sum = parts.map(nanoseconds).reduce((a, b) => a + b);
          // Times are rounded to microseconds or so at each border.
          expect(Math.abs(Number(sum - nanoseconds(rank)))).toBeLessThan(100_000);
          const compute = parts.find(({ name }) => name === 'compute')!;
          expect(nanoseconds(compute)).toBeGreaterThan(0n);
        }
      }
    } finally {
      await cluster.stop();
    }
  });

  it('drops spans that a collector does not take, and ends in time', async () => {
    receiver = await startOtlpReceiver(false);
    const problems: Error[] = [];
    const tracing = startTracing({
      url: receiver.url,
      everySteps: 2,
      serviceName: 'skipring-worker',
      instanceId: 'w',
      onProblem: (error) => problems.push(error),
    });
    const fence = { jobId: 'j', attempt: 1, generation: 1 };
    const parts = { dataWaitMs: 1, computeMs: 5, ringMs: 2, commitMs: 1, applyMs: 1 };
    const before = process.memoryUsage().heapUsed;
    for (let step = 1; step <= 20_000; step++) {
      tracing.steps.rankStep({ fence, step, parts, samples: 8, ringBytes: 100 });
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200e6);
    const startedAt = Date.now();
    await tracing.close();
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    expect(problems.length).toBeGreaterThan(0);
  });
});
