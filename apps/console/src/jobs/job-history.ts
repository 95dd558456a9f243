import {
  describeStraggler,
  type EvaluationResult,
  type JobEvent,
  type SkippedStep,
  type StepRecord,
} from '@skipring/protocol';
import type { Mark } from '../charts/chart-data.js';

export type StepEvent = Extract<JobEvent, { type: 'step' }>;
export type OtherEvent = Exclude<JobEvent, { type: 'step' }>;

/** Points that a job's curves are asked for. */
export const NUM_POINTS = 6_000;
/** After so many live steps the whole history is thinned anew by the coordinator. */
export const MAX_LIVE_STEPS = 4_000;

/** What is known of a job from its event stream and its stored history. Never changed, only replaced. */
export interface JobHistory {
  /** In order, each once. */
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationResult[];
  readonly events: readonly OtherEvent[];
  readonly marks: readonly Mark[];
  /** The last step told of by an event: where what happens next is marked. */
  readonly lastStep: number;
}

export const NO_HISTORY: JobHistory = {
  steps: [],
  evaluations: [],
  events: [],
  marks: [],
  lastStep: 0,
};

/** The history with what came in since. */
export function withEvents(history: JobHistory, incoming: readonly JobEvent[]): JobHistory {
  const fresh: StepRecord[] = [];
  const others: OtherEvent[] = [];
  const marks: Mark[] = [];
  const evaluations: EvaluationResult[] = [];
  let { lastStep } = history;
  let known = history.steps.at(-1)?.step ?? 0;
  for (const event of incoming) {
    if (event.type === 'step') {
      const { metrics } = event;
      lastStep = metrics.step;
      if (metrics.step <= known) continue;
      known = metrics.step;
      if (metrics.skipped !== undefined) marks.push(skippedMark(metrics.step, metrics.skipped));
      fresh.push({ ...metrics, timeMs: Date.parse(event.time) });
      continue;
    }
    others.push(event);
    if (event.type === 'generation') lastStep = event.step;
    if (event.type === 'evaluation') evaluations.push(event.result);
    const mark = markOf(event, lastStep);
    if (mark !== null) marks.push(mark);
  }
  return {
    steps: fresh.length === 0 ? history.steps : [...history.steps, ...fresh],
    evaluations: evaluations.reduce(withEvaluation, history.evaluations),
    events: others.length === 0 ? history.events : [...history.events, ...others],
    marks: marks.length === 0 ? history.marks : [...history.marks, ...marks],
    lastStep,
  };
}

/** In order of steps; a repeated step takes the place of the one before. */
export function withEvaluation(
  evaluations: readonly EvaluationResult[],
  result: EvaluationResult,
): readonly EvaluationResult[] {
  return [...evaluations.filter(({ step }) => step !== result.step), result].sort(
    (a, b) => a.step - b.step,
  );
}

/** A part of the history in more detail, in place of what it had there. */
export function withDetail(
  steps: readonly StepRecord[],
  detail: readonly StepRecord[],
): readonly StepRecord[] {
  const from = detail[0]?.step;
  const to = detail.at(-1)?.step;
  if (from === undefined || to === undefined) return steps;
  return [
    ...steps.filter(({ step }) => step < from),
    ...detail,
    ...steps.filter(({ step }) => step > to),
  ];
}

function skippedMark(step: number, { lanes }: SkippedStep): Mark {
  const title = `skipped: the gradient was not finite in lane ${lanes.join(', ')}`;
  return { x: step, kind: 'fault', title };
}

function markOf(event: OtherEvent, step: number): Mark | null {
  switch (event.type) {
    case 'generation':
      return {
        x: event.step,
        kind: 'generation',
        title: `generation ${event.generation}: ${event.workers.length} workers, ${event.reason}`,
      };
    case 'log':
      return event.level === 'info' ? null : { x: step, kind: 'fault', title: event.message };
    case 'state':
      return event.state === 'failed' ? { x: step, kind: 'fault', title: event.reason } : null;
    case 'fault':
      return event.state === 'fired'
        ? { x: step, kind: 'fault', title: `fault ${event.fault.kind}` }
        : null;
    case 'straggler':
      return event.state === 'slow'
        ? { x: step, kind: 'fault', title: describeStraggler(event) }
        : null;
    default:
      return null;
  }
}
