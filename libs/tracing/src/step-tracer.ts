import { ROOT_CONTEXT, trace, TraceFlags, type Context, type Tracer } from '@opentelemetry/api';
import type { Fence, StepMetrics, StepParts } from '@skipring/protocol';
import type { GivenIds } from './given-ids.js';
import { stepIds } from './step-ids.js';

/** Names of the spans below a rank's, in the order in which a step goes through them. */
const PART_SPANS = {
  dataWaitMs: 'data',
  computeMs: 'compute',
  ringMs: 'ring',
  commitMs: 'vote',
  applyMs: 'apply',
} as const satisfies Record<keyof StepParts, string>;

export interface RankStepSpan {
  readonly fence: Fence;
  readonly step: number;
  readonly parts: StepParts;
  /** Samples that this rank computed, and bytes that it sent on the ring. */
  readonly samples: number;
  readonly ringBytes: number;
  /** Milliseconds that the ring worked in the time of the other parts; absent: none. */
  readonly ringHiddenMs?: number | undefined;
}

/**
 * Draws committed steps: one trace for each, with a span of the coordinator over one of every rank,
 * over one for each part. Calls are cheap, never throw and never block.
 */
export class StepTracer {
  /** @param everySteps 1: all; n: those whose number n divides, the same in every process */
  constructor(
    private readonly tracer: Tracer,
    private readonly ids: GivenIds,
    private readonly everySteps: number,
    /** Milliseconds since 1970. */
    private readonly now: () => number = Date.now,
  ) {}

  /** The whole step, as the coordinator learns of it from rank 0. */
  stepCommitted(fence: Fence, { step, epoch, stepMs, samples, loss }: StepMetrics): void {
    if (!this.isDrawn(step)) return;
    const endTime = this.now();
    const attributes = { ...fenceAttributes(fence, step), epoch, samples, loss };
    const options = { root: true, startTime: endTime - stepMs, attributes };
    const span = this.ids.using(stepIds(fence, step), () =>
      this.tracer.startSpan('step', options, ROOT_CONTEXT),
    );
    span.end(endTime);
  }

  /**
   * One rank's share. A part's span is as long as the part took in all; the parts stand one after
   * another, though data and computing of a step's lanes take turns.
   */
  rankStep({ fence, step, parts, samples, ringBytes, ringHiddenMs = 0 }: RankStepSpan): void {
    if (!this.isDrawn(step)) return;
    const endTime = this.now();
    const wholeMs = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
    let startTime = endTime - wholeMs;
    const ring = { ringBytes, ringHiddenMs };
    const attributes = { ...fenceAttributes(fence, step), samples, ...ring };
    const whole = this.tracer.startSpan('rank', { startTime, attributes }, below(fence, step));
    const inside = trace.setSpan(ROOT_CONTEXT, whole);
    for (const [part, name] of Object.entries(PART_SPANS)) {
      const span = this.tracer.startSpan(name, { startTime }, inside);
      startTime += parts[part as keyof StepParts];
      span.end(startTime);
    }
    whole.end(endTime);
  }

  private isDrawn(step: number): boolean {
    return step % this.everySteps === 0;
  }
}

/** The context of the coordinator's span, which it may not have made yet. */
function below(fence: Fence, step: number): Context {
  const context = { ...stepIds(fence, step), traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, context);
}

function fenceAttributes({ jobId, attempt, generation }: Fence, step: number) {
  return { 'job.id': jobId, attempt, generation, step };
}
