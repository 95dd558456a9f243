import type { CheckpointView, EvaluationResult, JobView, WorkerView } from '@skipring/protocol';
import { duration, percent, table } from '../output/format.js';
import type { Style } from '../output/style.js';

/** How many of the worst classes the report names. */
const NUM_WORST_CLASSES = 3;

export interface ReportInput {
  readonly job: JobView;
  readonly evaluation: EvaluationResult;
  readonly classes: readonly string[];
  readonly workers: readonly WorkerView[];
  /** In any order. */
  readonly checkpoints: readonly CheckpointView[];
  readonly elapsedMs: number;
  readonly style: Style;
}

/** The short report at the end of the demo. */
export function describeRun(input: ReportInput): string {
  const { job, evaluation, style } = input;
  const { step, totalEpochs, imagesPerSecond } = job.progress;
  const checkpoint = input.checkpoints.find(({ modelSha256 }) => modelSha256 === job.modelSha256);
  return [
    '',
    style('bold', `${job.name}: test accuracy ${percent(evaluation.accuracy)}`),
    `time ${duration(input.elapsedMs)}, ${totalEpochs} ${totalEpochs === 1 ? 'epoch' : 'epochs'}, ${step} steps`,
    '',
    table(
      ['WORKER', 'SPEED AT THE END'],
      [
        ...[...input.workers]
          .sort((a, b) => a.id.localeCompare(b.id))
          .map((worker) => [worker.id, speed(worker.imagesPerSecond)]),
        ['together', speed(imagesPerSecond)],
      ],
    ),
    '',
    table(
      ['WORST CLASSES', 'RECALL', 'MOST OFTEN TAKEN FOR'],
      worstClasses(evaluation, input.classes),
    ),
    '',
    `model SHA-256  ${job.modelSha256 ?? '-'}`,
    `checkpoint     ${checkpoint?.path ?? '-'}`,
  ].join('\n');
}

function speed(imagesPerSecond: number): string {
  return `${Math.round(imagesPerSecond)} images/s`;
}

/** Classes of lowest recall, with what they are confused with. */
export function worstClasses(evaluation: EvaluationResult, classes: readonly string[]): string[][] {
  return evaluation.confusion
    .map((row, trueClass) => {
      const total = row.reduce((sum, count) => sum + count, 0);
      const recall = total === 0 ? 1 : (row[trueClass] ?? 0) / total;
      const others = row
        .map((count, predicted) => ({ count: predicted === trueClass ? 0 : count, predicted }))
        .sort((a, b) => b.count - a.count || a.predicted - b.predicted);
      const [worst] = others;
      const takenFor =
        worst === undefined || worst.count === 0
          ? '-'
          : `${classes[worst.predicted] ?? String(worst.predicted)} (${worst.count} of ${total})`;
      return {
        recall,
        cells: [classes[trueClass] ?? String(trueClass), percent(recall), takenFor],
      };
    })
    .sort((a, b) => a.recall - b.recall)
    .slice(0, NUM_WORST_CLASSES)
    .map(({ cells }) => cells);
}
