export { stepIds, type StepIds } from './step-ids.js';
export type { RankStepSpan, StepTracer } from './step-tracer.js';
export { startTracing, type TracesTarget, type Tracing, type TracingOptions } from './tracing.js';
