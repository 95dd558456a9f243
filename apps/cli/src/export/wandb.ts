import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { History } from './history.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { csv } from '../output/csv.js';
import { systemReason } from '../system-reason.js';
import { pointsOf, type Point } from './history-points.js';

/**
 * Writes what an export of a Weights & Biases run holds: `history.jsonl` and `history.csv` (a row a
 * point, `_step`, `_runtime` in seconds, `_timestamp`), `summary.json` and `config.json`.
 * @returns the directory, `DIR/JOB`
 */
export async function writeWandb(history: History, directory: string): Promise<string> {
  const { job } = history;
  const folder = join(directory, job.id);
  const startMs = Date.parse(job.startedAt ?? job.createdAt);
  const rows = pointsOf(history).map((point) => rowOf(point, startMs));
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const summary = {
    ...Object.assign({}, ...rows),
    state: job.state,
    best_test_accuracy: job.bestAccuracy,
    model_sha256: job.modelSha256,
  } as object;
  const files = {
    'history.jsonl': rows.map((row) => JSON.stringify(row) + '\n').join(''),
    'history.csv': csv(
      columns,
      rows.map((row) => columns.map((column) => row[column] ?? null)),
    ),
    'summary.json': `${JSON.stringify(summary, null, 2)}\n`,
    'config.json': `${JSON.stringify(job.spec, null, 2)}\n`,
  };
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  } catch (error) {
    throw new CommandError(EXIT.usage, `--out ${directory}: ${systemReason(error)}`);
  }
  return folder;
}

function rowOf({ step, timeMs, epoch, values }: Point, startMs: number): Record<string, number> {
  return {
    _step: step,
    _runtime: (timeMs - startMs) / 1_000,
    _timestamp: timeMs / 1_000,
    epoch,
    ...values,
  };
}
