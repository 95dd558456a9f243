import { Option, type Command } from 'commander';
import type { StepRecord } from '@skipring/protocol';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { exportHistory, exportFormats, type ExportFormat } from '../export/export-history.js';
import type { History } from '../export/history.js';
import { csv } from '../output/csv.js';
import { percent } from '../output/format.js';
import { sparkline } from '../output/sparkline.js';
import { examples } from './help.js';

const MAX_WIDTH = 60;
const NAME_WIDTH = 15;

type MetricsFlags = CommonFlags & {
  readonly format: 'text' | 'csv' | ExportFormat;
  readonly out?: string;
};

/** `metrics`: the course of a job, to look at or for other programs. */
export function addMetricsCommand(program: Command, context: CommandContext): void {
  program
    .command('metrics')
    .description('show or export loss, accuracy, learning rate and speed of a job')
    .argument('<job>', 'job id')
    .addOption(
      new Option('--format <format>', 'text: a line of bars for each; the others are for programs')
        .choices(['text', 'csv', ...exportFormats])
        .default('text'),
    )
    .option('--out <path>', 'directory (tensorboard, wandb) or MLflow server (mlflow) to write to')
    .addHelpText(
      'after',
      examples(
        'skipring metrics JOB',
        'skipring metrics JOB --format csv > job.csv',
        'skipring metrics JOB --format tensorboard --out runs',
        'skipring metrics JOB --format wandb --out exports',
        'skipring metrics JOB --format mlflow --out http://127.0.0.1:5000',
      ),
    )
    .action(async (id: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<MetricsFlags>();
      const { format, out } = flags;
      const isExport = format !== 'text' && format !== 'csv';
      if (isExport !== (out !== undefined)) {
        const expected = isExport ? 'expected --out' : 'expected no --out';
        throw new CommandError(
          EXIT.usage,
          `--format ${format}: ${expected}`,
          'skipring metrics --help',
        );
      }
      const client = await context.client(flags);
      const job = await client.job(id);
      const steps: StepRecord[] = [];
      for await (const step of client.stepMetrics(id)) steps.push(step);
      const history = { job, steps, evaluations: await client.evaluations(id) };
      if (isExport) {
        const written = await exportHistory(
          format,
          history,
          out ?? '',
          context.environment.inherited,
          context.interrupted,
        );
        context.show(flags, written, () => written.where);
      } else if (format === 'csv') {
        process.stdout.write(stepsAsCsv(history.steps));
      } else {
        const { steps: items, evaluations } = history;
        context.show(flags, { jobId: id, steps: items, evaluations }, () => drawn(history));
      }
    });
}

function drawn({ job, steps, evaluations }: History): string {
  if (steps.length === 0) return `job ${job.id} is ${job.state} and has no steps yet`;
  const width = Math.max(10, Math.min(MAX_WIDTH, (process.stdout.columns || 80) - 40));
  const row = (name: string, values: number[], text: (value: number) => string): string => {
    const [first = 0, last = 0] = [values[0], values.at(-1)];
    return `${name.padEnd(NAME_WIDTH)}${sparkline(values, width)}  ${text(first)} -> ${text(last)}`;
  };
  const speed = ({ samples, stepMs }: StepRecord): number =>
    (samples / Math.max(1e-3, stepMs)) * 1e3;
  const lines = [
    `${job.name} (${job.id}), ${job.state}, steps ${steps[0]?.step ?? 0} to ${steps.at(-1)?.step ?? 0}`,
    row(
      'loss',
      steps.map(({ loss }) => loss),
      (value) => value.toFixed(4),
    ),
    row(
      'accuracy',
      steps.map(({ accuracy }) => accuracy),
      percent,
    ),
    row(
      'learning rate',
      steps.map(({ learningRate }) => learningRate),
      (value) => value.toPrecision(3),
    ),
    row('images/s', steps.map(speed), (value) => String(Math.round(value))),
  ];
  if (evaluations.length > 0) {
    lines.push(
      row(
        'test accuracy',
        evaluations.map(({ accuracy }) => accuracy),
        percent,
      ),
    );
  }
  return lines.join('\n');
}

function stepsAsCsv(steps: readonly StepRecord[]): string {
  const columns = [
    ...([
      'step',
      'epoch',
      'cursor',
      'loss',
      'accuracy',
      'learningRate',
      'samples',
      'stepMs',
    ] as const),
  ];
  return csv(
    columns,
    steps.map((step) => columns.map((column) => step[column])),
  );
}
