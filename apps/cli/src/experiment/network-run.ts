import type { SkipringClient } from '@skipring/client';
import { API_VERSION, type JobSpecInput, type StepMetrics } from '@skipring/protocol';
import type { CommandContext } from '../context.js';
import { followJob, requireSuccess } from '../follow.js';
import { ProgressView } from '../output/progress.js';
import { nameOf, type ErrorPoint, type NetworkRun } from './residual-report.js';

/** Looks at the layers in a job: enough for a median. */
const NUM_LOOKS = 40;
/** Points of a curve of training error. */
const NUM_POINTS = 60;
const STEPS_PAGE = 10_000;

export interface NetworkPlan {
  readonly depth: 8 | 14 | 20 | 32 | 44 | 56 | 110;
  readonly isResidual: boolean;
  readonly epochs: number;
  readonly dataSet: string;
  readonly numTrain: number;
}

const LANES = { count: 4, size: 32 };

/** He et al. 2015, section 4.2, in miniature: the same hyper-parameters for every network. */
export function specOf({
  depth,
  isResidual,
  epochs,
  dataSet,
  numTrain,
}: NetworkPlan): JobSpecInput {
  const totalSteps = epochs * Math.ceil(numTrain / (LANES.count * LANES.size));
  return {
    apiVersion: API_VERSION,
    name: `residual-${isResidual ? 'resnet' : 'plain'}-${depth}`,
    model: { family: 'resnet-cifar', depth, shortcuts: isResidual },
    data: { dataSet, augmentation: { cropPadding: 2 } },
    training: { epochs, learningRate: 0.1, warmupSteps: Math.min(20, totalSteps) },
    lanes: LANES,
    statistics: { everySteps: Math.max(1, Math.ceil(totalSteps / NUM_LOOKS)) },
  };
}

/** Trains one network to its end and reads what it did. Throws CommandError when the job fails. */
export async function runNetwork(
  context: CommandContext,
  client: SkipringClient,
  plan: NetworkPlan,
): Promise<NetworkRun> {
  const job = await client.submit(specOf(plan));
  context.tell(`${nameOf(plan)}: job ${job.id}`);
  const view = ProgressView.of(context.progress, job);
  const ended = await followJob(context, client, job, (event) => {
    view.show(event);
  }).finally(() => {
    view.close();
  });
  requireSuccess(ended);
  const [steps, evaluations, layers] = await Promise.all([
    allSteps(client, job.id),
    client.evaluations(job.id),
    client.layers(job.id),
  ]);
  const { depth, isResidual } = plan;
  return { depth, isResidual, jobId: job.id, trainError: errorCurve(steps), evaluations, layers };
}

async function allSteps(client: SkipringClient, id: string): Promise<StepMetrics[]> {
  const steps: StepMetrics[] = [];
  for (;;) {
    const fromStep = (steps.at(-1)?.step ?? 0) + 1;
    const page = await client.metrics(id, { fromStep, limit: STEPS_PAGE });
    steps.push(...page);
    if (page.length < STEPS_PAGE) return steps;
  }
}

/** Share of samples classified wrongly, in at most `NUM_POINTS` windows of as many steps each. */
export function errorCurve(
  steps: readonly Pick<StepMetrics, 'step' | 'accuracy' | 'samples'>[],
): ErrorPoint[] {
  const length = Math.ceil(steps.length / NUM_POINTS) || 1;
  const numWindows = Math.ceil(steps.length / length);
  return Array.from({ length: numWindows }, (_, index) => {
    const window = steps.slice(index * length, (index + 1) * length);
    const samples = window.reduce((sum, step) => sum + step.samples, 0);
    const wrong = window.reduce((sum, step) => sum + (1 - step.accuracy) * step.samples, 0);
    return { step: window.at(-1)?.step ?? 0, error: wrong / samples };
  });
}
