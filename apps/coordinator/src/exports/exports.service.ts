import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportFormat, ModelCard } from '@skipring/protocol';
import type { JobRecord, WorkQueue } from '@skipring/redis';
import type { Logger } from 'pino';
import type { DataSetsService } from '../data-sets/data-sets.service.js';
import { HttpProblem } from '../http/problem.js';
import { unknownJob } from '../jobs/jobs.service.js';
import type { Models } from '../jobs/models.js';
import { exportOnThread, ExportRefused } from './export-on-thread.js';

/** How long a request waits for what is being made; then its sender asks again. */
const WAIT_MS = 20_000;
const POLL_MS = 100;
/** Exports kept; each can be made again. */
const MAX_KEPT = 32;
/** Whoever asks waits for less time than so many others take. */
const MAX_REFUSALS = 256;

/** Names what is exported: the same entry makes the same files. */
export interface ExportEntry {
  readonly jobId: string;
  readonly modelSha256: string;
  readonly format: ExportFormat;
}

export interface ExportsParts {
  readonly directory: string;
  readonly models: Models;
  readonly dataSets: Pick<DataSetsService, 'ready'>;
  readonly find: (jobId: string) => Promise<JobRecord | null>;
  readonly queue: WorkQueue<ExportEntry>;
  readonly log: Logger;
}

/** Trained models in the forms of others: made once, in the background, and kept. */
export class ExportsService {
  /** Why the newest try of an entry was refused. */
  private readonly refusals = new Map<string, string>();

  constructor(private readonly parts: ExportsParts) {}

  async start(): Promise<void> {
    await mkdir(this.parts.directory, { recursive: true });
    this.parts.queue.start((entry, signal) => this.make(entry, signal));
  }

  /**
   * Path of one file of an export, made if need be.
   * @throws HttpProblem JOB_UNKNOWN, MODEL_NOT_READY, EXPORT_REFUSED, EXPORT_PENDING
   */
  async file(
    jobId: string,
    format: ExportFormat,
    name: string,
  ): Promise<{ path: string; tag: string }> {
    const { models, queue, find } = this.parts;
    const job = await find(jobId);
    if (job === null) throw unknownJob(jobId);
    const { sha256 } = await models.chosen(job);
    const entry = { jobId, modelSha256: sha256, format };
    const path = join(this.directoryOf(entry), name);
    const tag = `${sha256}-${format}-${name}`;
    if (await exists(path)) return { path, tag };
    const id = idOf(entry);
    this.refusals.delete(id);
    await queue.add(id, entry);
    const deadlineMs = performance.now() + WAIT_MS;
    while (performance.now() < deadlineMs) {
      if (await exists(path)) return { path, tag };
      const refusal = this.refusals.get(id);
      if (refusal !== undefined) throw new HttpProblem('EXPORT_REFUSED', refusal);
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
    throw new HttpProblem('EXPORT_PENDING', `${format} of job ${jobId} is being made`, [], {
      'retry-after': '1',
    });
  }

  /** All exports of a job that was deleted. */
  async remove(jobId: string): Promise<void> {
    const { directory } = this.parts;
    for (const name of await readdir(directory)) {
      // An id has no dash behind its first.
      if (!name.startsWith(`${jobId}-`)) continue;
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }

  private async make(entry: ExportEntry, signal: AbortSignal): Promise<void> {
    const { models, dataSets, find, log, directory } = this.parts;
    const { jobId, format } = entry;
    const outDir = this.directoryOf(entry);
    if (await exists(outDir)) return;
    const job = await find(jobId);
    // It was deleted meanwhile.
    if (job === null) return;
    const { bytes, sha256 } = await models.model(job);
    // A checkpoint that came since the request makes an entry of its own.
    if (sha256 !== entry.modelSha256) return;
    const name = job.spec.data.dataSet;
    const dataSet = await dataSets.ready(name);
    if (dataSet === null) {
      const reason = `data set ${name}, whose classes belong to the model, was removed`;
      this.refusals.set(idOf(entry), reason);
      return;
    }
    const { height, width, channels, mean, standardDeviation, classes } = dataSet.manifest;
    const card: ModelCard = {
      formatVersion: 1,
      job: jobId,
      modelSha256: sha256,
      model: job.spec.model,
      image: { height, width, channels, mean, standardDeviation },
      classes,
    };
    try {
      await exportOnThread({ format, card, model: bytes, outDir }, signal);
      log.info({ jobId, format }, 'model exported');
    } catch (error) {
      if (!(error instanceof ExportRefused)) throw error;
      this.refusals.set(idOf(entry), error.message);
      const [oldest] = this.refusals.keys();
      if (this.refusals.size > MAX_REFUSALS && oldest !== undefined) this.refusals.delete(oldest);
      log.warn({ jobId, format, reason: error.message }, 'export refused');
    }
    if ((await find(jobId)) === null) await this.remove(jobId);
    await removeOldest(directory);
  }

  private directoryOf(entry: ExportEntry): string {
    return join(this.parts.directory, idOf(entry));
  }
}

function idOf({ jobId, modelSha256, format }: ExportEntry): string {
  return `${jobId}-${modelSha256.slice(0, 16)}-${format}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function removeOldest(directory: string): Promise<void> {
  const names = await readdir(directory);
  const aged = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      return {
        path,
        ageMs: await stat(path)
          .then(({ mtimeMs }) => mtimeMs)
          .catch(() => 0),
      };
    }),
  );
  const newestFirst = aged.sort((a, b) => b.ageMs - a.ageMs);
  for (const { path } of newestFirst.slice(MAX_KEPT)) {
    await rm(path, { recursive: true, force: true });
  }
}
