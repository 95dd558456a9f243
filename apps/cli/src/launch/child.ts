import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ErrorLines } from './error-lines.js';

/** The last lines of a child's output can come after its end, but no later than this. */
const OUTPUT_DEADLINE_MS = 1_000;

export interface ChildOptions {
  /** For messages: `coordinator`, `worker 1`. */
  readonly title: string;
  readonly entry: string;
  /** Of Node.js, before the entry. */
  readonly nodeOptions: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** How long after SIGTERM it is killed. Longer than what it allows itself. */
  readonly stopDeadlineMs: number;
}

/** One JSON line of a child's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/**
 * A server process of the local cluster. Its standard input is a pipe that it watches: when this
 * process ends in any way, the pipe closes and the child leaves, so that none is orphaned.
 */
export class Child {
  /** Settles, with the exit status, when the process has ended and its output is read. */
  readonly exited: Promise<number | null>;
  private readonly process: ChildProcess;
  private readonly log: WriteStream;
  private readonly errors = new ErrorLines();
  private readonly waiters: ((line: LogLine) => void)[] = [];
  private hasExited = false;
  private end = '';

  constructor(readonly options: ChildOptions) {
    this.log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
    this.process = spawn(process.execPath, [...options.nodeOptions, options.entry], {
      env: { ...options.environment, SKIPRING_PARENT_PIPE: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C reaches the launcher alone, which stops all in order.
      detached: true,
    });
    this.process.stdin?.on('error', () => undefined);
    this.read(this.process.stdout, (line) => {
      this.readLogged(line);
    });
    this.read(this.process.stderr, (line) => {
      this.errors.addPlain(line);
    });
    this.exited = new Promise((resolve) => {
      const done = (code: number | null): void => {
        this.hasExited = true;
        this.log.end();
        resolve(code);
      };
      this.process.once('exit', (code, signal) => {
        this.end = signal === null ? `with code ${code ?? 'none'}` : `by ${signal}`;
        const timer = setTimeout(done, OUTPUT_DEADLINE_MS, code);
        this.process.once('close', () => {
          clearTimeout(timer);
          done(code);
        });
      });
      this.process.once('error', (error) => {
        this.end = `at once: ${error.message}`;
        done(null);
      });
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** How it ended, with the last errors that it told of and where its log is. */
  get epitaph(): string {
    const { title, logFile } = this.options;
    return `${title} ended ${this.end}${String(this.errors)}\n  log: ${logFile}`;
  }

  /** The first log line that `find` accepts. Rejects when the child ends first or the time is up. */
  waitForLine<T>(find: (line: LogLine) => T | null, deadlineMs: number): Promise<T> {
    const { title, logFile } = this.options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seconds = deadlineMs / 1_000;
        const told = String(this.errors);
        reject(new Error(`${title} was not ready within ${seconds} s${told}\n  log: ${logFile}`));
      }, deadlineMs);
      this.waiters.push((line) => {
        const found = find(line);
        if (found === null) return;
        clearTimeout(timer);
        resolve(found);
      });
      void this.exited.then(() => {
        clearTimeout(timer);
        reject(new Error(this.epitaph));
      });
    });
  }

  /** SIGTERM, and SIGKILL when that does not end it in time. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.kill();
    }, this.options.stopDeadlineMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** SIGKILL: nothing is stored or handed over. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  private read(stream: Readable | null, onLine: (line: string) => void): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      if (!this.hasExited) this.log.write(`${line}\n`);
      onLine(line);
    });
  }

  private readLogged(text: string): void {
    if (!text.startsWith('{')) return;
    try {
      const line = JSON.parse(text) as LogLine;
      this.errors.addLogged(line);
      for (const waiter of this.waiters) waiter(line);
    } catch {
      // Not a log line: the file has it.
    }
  }
}
