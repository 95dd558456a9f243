import type { StepReport } from './messages.js';
import { sameFence, type ClusterState, type JobRun } from './state.js';

/**
 * A step is committed when rank 0 says so. A report that crosses with a `stop` or a `prepare` counts
 * once a stored or a shared state is known to hold its step: else the step will be taken again.
 */
export function countStep(
  state: ClusterState,
  run: JobRun,
  workerId: string,
  report: StepReport,
): void {
  const { trained } = run;
  const { fence, rank, metrics } = report;
  if (trained === null || !sameFence(trained.fence, fence)) return;
  if (trained.ranks[rank] !== workerId) return;
  if (run.state === 'running' && run.generation?.fence === trained.fence) {
    tell(state, run, report);
    return;
  }
  if (rank !== 0 || metrics === null) return;
  trained.unproven.push(report);
  proveSteps(state, run, run.checkpointStep ?? 0);
}

/** A state of so many steps is stored, or all members share it. */
export function proveSteps(state: ClusterState, run: JobRun, numSteps: number): void {
  const { trained } = run;
  while (trained?.unproven[0] !== undefined && trained.unproven[0].step <= numSteps) {
    tell(state, run, trained.unproven.shift()!);
  }
}

function tell(state: ClusterState, run: JobRun, report: StepReport): void {
  const { fence, rank, parts, ringBytes, samples, metrics } = report;
  const workerId = run.trained?.ranks[rank];
  if (workerId === undefined) return;
  const jobId = run.job.id;
  state.effects.push({ type: 'rankStep', jobId, rank, workerId, parts, ringBytes, samples });
  if (rank !== 0 || metrics === null || metrics.step <= run.committedStep) return;
  run.committedStep = metrics.step;
  run.numBroken = 0;
  state.effects.push({ type: 'stepCommitted', fence, metrics });
}
