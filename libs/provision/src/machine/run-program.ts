import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** How a program ended and what it printed. */
export interface ProgramResult {
  /** Exit status; `null` when a signal ended it or it could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  /** Also says why when the program could not be started or ran past its deadline. */
  readonly stderr: string;
}

/** The surroundings of a program; nothing else is inherited. */
export interface ProgramOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly cwd?: string;
}

const MAX_OUTPUT_CHARS = 256 * 1024;

/** Runs a program to its end or its deadline; never rejects. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env, deadlineMs, cwd }: ProgramOptions,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const output = { stdout: '', stderr: '' };
    const child = spawn(program, args, {
      env: { ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const deadline = setTimeout(() => {
      output.stderr += `\n${program} did not end within ${deadlineMs} ms`;
      child.kill('SIGKILL');
    }, deadlineMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        // The end of a long output holds the reason.
        output[name] = (output[name] + text).slice(-MAX_OUTPUT_CHARS);
      });
    }
    const finish = (status: number | null): void => {
      clearTimeout(deadline);
      resolve({ status, ...output });
    };
    child.once('error', (error) => {
      output.stderr += error.message;
      finish(null);
    });
    child.once('close', finish);
  });
}

/** The first executable file of that name in `searchPath`, as a full path. */
export function findProgram(name: string, searchPath: readonly string[]): string | undefined {
  return searchPath
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
      } catch {
        return false;
      }
    });
}
