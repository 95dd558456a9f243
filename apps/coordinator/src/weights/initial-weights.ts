import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSafetensors } from '@skipring/checkpoint';
import { valueText, type InitialWeights, type JobSpec } from '@skipring/protocol';
import type { JobRecord } from '@skipring/redis';
import { insideRoots } from '../data-sets/data-roots.js';
import { HttpProblem } from '../http/problem.js';
import { invalid } from '../http/validation.pipe.js';
import type { Models } from '../jobs/models.js';

const MAX_FILE_BYTES = 4e9;

export interface InitialWeightsParts {
  readonly directory: string;
  readonly roots: readonly string[];
  readonly models: Models;
  readonly record: (jobId: string) => Promise<JobRecord>;
}

/** Copies of the files that jobs start from: what a job was submitted with is what it trains from. */
export class InitialWeightsStore {
  constructor(private readonly parts: InitialWeightsParts) {}

  /**
   * The spec with its weights' SHA-256, once they are stored here.
   * @throws HttpProblem REQUEST_INVALID, JOB_UNKNOWN, MODEL_NOT_READY
   */
  async pin(spec: JobSpec): Promise<JobSpec> {
    const { initialWeights } = spec;
    if (initialWeights === undefined) return spec;
    const bytes = await this.read(initialWeights);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (initialWeights.sha256 !== undefined && initialWeights.sha256 !== sha256) {
      throw refused('/initialWeights/sha256', initialWeights.sha256, `${sha256}, the file's`);
    }
    await this.store(sha256, bytes);
    return { ...spec, initialWeights: { ...initialWeights, sha256 } };
  }

  /** Throws HttpProblem CHECKPOINT_UNKNOWN. */
  async path(sha256: string): Promise<string> {
    const path = join(this.parts.directory, `${sha256}.safetensors`);
    const isThere = /^[0-9a-f]{64}$/.test(sha256) && (await stat(path).catch(() => null)) !== null;
    if (isThere) return path;
    throw new HttpProblem('CHECKPOINT_UNKNOWN', `no initial weights of SHA-256 ${sha256}`);
  }

  private async read({ job, file }: InitialWeights): Promise<Uint8Array> {
    const { models, record, roots } = this.parts;
    if (job !== undefined) return (await models.model(await record(job))).bytes;
    const path = await insideRoots(file ?? '', roots).catch(() => null);
    const size = path === null ? null : await stat(path).catch(() => null);
    if (path === null || size?.isFile() !== true || size.size > MAX_FILE_BYTES) {
      const expected = 'a safetensors file inside the data roots of the coordinator';
      throw refused('/initialWeights/file', file, expected);
    }
    const bytes = await readFile(path);
    try {
      decodeSafetensors(bytes);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw refused('/initialWeights/file', file, `a safetensors file of float32: ${why}`);
    }
    return bytes;
  }

  private async store(sha256: string, bytes: Uint8Array): Promise<void> {
    const { directory } = this.parts;
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${sha256}.safetensors`);
    await writeFile(`${path}.${process.pid}.partial`, bytes);
    await rename(`${path}.${process.pid}.partial`, path);
  }
}

function refused(field: string, value: unknown, expected: string): HttpProblem {
  return invalid([{ field, value: valueText(value), expected }]);
}
