import type { History } from './history.js';
import { writeTensorBoard } from './tensorboard.js';
import { logToMlflow } from './mlflow.js';
import { writeWandb } from './wandb.js';

export const exportFormats = ['tensorboard', 'wandb', 'mlflow'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface Exported {
  readonly format: ExportFormat;
  /** Path or address of what was made. */
  readonly where: string;
}

/** Writes a job's course for another program; `to` is a directory, or the address of an MLflow server. */
export async function exportHistory(
  format: ExportFormat,
  history: History,
  to: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Exported> {
  switch (format) {
    case 'tensorboard':
      return { format, where: await writeTensorBoard(history, to) };
    case 'wandb':
      return { format, where: await writeWandb(history, to) };
    case 'mlflow':
      return { format, where: await logToMlflow(history, to, environment, signal) };
  }
}
