import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { until } from './until.js';

const PROGRAM = resolve('apps/cli/bin/skipring.js');
const COMMAND_DEADLINE_MS = 90_000;
/** A worker whose launcher is gone closes its connections first. */
const END_DEADLINE_MS = 60_000;

/** What would lead a command to another cluster, or change how it writes. */
const OWN_VARIABLES = new Set(['SKIPRING_URL', 'SKIPRING_TOKEN', 'REDIS_URL', 'NO_COLOR']);

/** How a command ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
  /** After which it is killed; default 90 s. */
  readonly deadlineMs?: number | undefined;
}

/**
 * A directory in which `skipring` runs: its processes work in it, its data and temporary files lie in
 * it, and nothing of this machine's own clusters is seen.
 */
export class CliHome {
  private constructor(readonly directory: string) {}

  static async make(): Promise<CliHome> {
    const home = new CliHome(await mkdtemp(join(tmpdir(), 'skipring-cli-')));
    await mkdir(home.temporaryDirectory);
    return home;
  }

  get dataDirectory(): string {
    return join(this.directory, 'data');
  }

  get temporaryDirectory(): string {
    return join(this.directory, 'tmp');
  }

  /** Runs a command to its end; kills it when that does not come. */
  async run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return this.start(args, options).result(options.deadlineMs);
  }

  /** Starts a command that goes on. */
  start(args: readonly string[], { env = {}, input = '' }: CliOptions = {}): RunningCli {
    const inherited = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.has(name));
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: this.directory,
      env: {
        ...Object.fromEntries(inherited),
        SKIPRING_DATA_DIR: this.dataDirectory,
        TMPDIR: this.temporaryDirectory,
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return new RunningCli(child, args);
  }

  /** Process ids of whatever works in the directory: the command, Redis, coordinator, workers. */
  async processes(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '');
      if (cwd === this.directory || cwd.startsWith(this.directory + sep)) found.push(Number(name));
    }
    return found;
  }

  /** Waits until none of its processes is left. */
  async nothingRuns(): Promise<void> {
    await until(
      'the end of all processes',
      async () => ((await this.processes()).length === 0 ? true : null),
      END_DEADLINE_MS,
    );
  }

  /** Everything that lies in the data directory itself, sorted. */
  async dataFiles(): Promise<string[]> {
    return (await readdir(this.dataDirectory)).sort();
  }

  /** Ends what is left, for a test that failed, and removes the directory. */
  async remove(): Promise<void> {
    for (const pid of await this.processes()) kill(pid);
    await this.nothingRuns();
    await rm(this.directory, { recursive: true });
  }
}

/** A `skipring` process. */
export class RunningCli {
  stdout = '';
  stderr = '';
  private readonly closed: Promise<number | null>;

  constructor(
    readonly process: ChildProcess,
    private readonly args: readonly string[],
  ) {
    process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.closed = once(process, 'close').then(([code]) => code as number | null);
  }

  /** Waits for text on standard output or error; fails when the command ends before. */
  async says(text: string): Promise<void> {
    await until(
      `"${text}" from ${this.title}:\n${this.stderr}`,
      () => {
        if (`${this.stdout}${this.stderr}`.includes(text)) return true;
        const { exitCode, signalCode } = this.process;
        if (exitCode === null && signalCode === null) return null;
        throw new Error(`${this.title} ended (${exitCode ?? signalCode}): ${this.stderr}`);
      },
      COMMAND_DEADLINE_MS,
    );
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  async result(deadlineMs = COMMAND_DEADLINE_MS): Promise<CliResult> {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), deadlineMs);
    const code = await this.closed;
    clearTimeout(timer);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  private get title(): string {
    return `skipring ${this.args.join(' ')}`;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by now.
  }
}
