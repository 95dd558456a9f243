import { jobViewSchema, type JobView } from '@skipring/protocol';
import { expect } from 'vitest';
import type { z } from 'zod';
import type { CliHome, CliResult } from './cli.js';
import { until } from './until.js';

/** For what a job does: training shares the machine with the commands that look at it. */
const JOB_DEADLINE_MS = 90_000;

/** Runs commands that must end in a certain way. */
export class CliChecks {
  constructor(private readonly home: CliHome) {}

  /** Runs a command that must succeed, without colours, and says nothing on standard error. */
  async succeed(...args: string[]): Promise<CliResult> {
    const result = await this.home.run(args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).not.toContain('\u001b');
    return result;
  }

  /** The JSON that a command prints, checked. */
  async json<T extends z.ZodType>(schema: T, ...args: string[]): Promise<z.output<T>> {
    const { stdout } = await this.succeed(...args, '-o', 'json');
    return schema.parse(JSON.parse(stdout));
  }

  /** What a command says that must fail with a code. */
  async refusal(code: number, ...args: string[]): Promise<string> {
    const result = await this.home.run(args);
    expect(result).toMatchObject({ code, stdout: '' });
    return result.stderr;
  }

  status(id: string): Promise<JobView> {
    return this.json(jobViewSchema, 'status', id);
  }

  /** The job, once that is true of it. */
  untilJob(what: string, id: string, isSo: (job: JobView) => boolean): Promise<JobView> {
    return until(
      what,
      async () => {
        const job = await this.status(id);
        return isSo(job) ? job : null;
      },
      JOB_DEADLINE_MS,
    );
  }
}
