import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

const STOP_TIMEOUT_MS = 10_000;

export interface ChildOptions {
  /** For messages: `coordinator`, `worker 1`. */
  readonly title: string;
  readonly entry: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** One JSON line of a child's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/**
 * A server process of the local cluster. Its standard input is a pipe that it watches: when this
 * process ends in any way, the pipe closes and the child leaves, so that none is orphaned.
 */
export class Child {
  readonly exited: Promise<number | null>;
  private readonly process: ChildProcess;
  private readonly log: WriteStream;
  private readonly waiters: ((line: LogLine) => void)[] = [];
  private hasExited = false;

  constructor(readonly options: ChildOptions) {
    this.log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
    this.process = spawn(process.execPath, [options.entry], {
      env: { ...options.environment, SKIPRING_PARENT_PIPE: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C reaches the launcher alone, which stops all in order.
      detached: true,
    });
    this.process.stdin?.on('error', () => undefined);
    this.process.stderr?.pipe(this.log, { end: false });
    if (this.process.stdout !== null) {
      createInterface({ input: this.process.stdout }).on('line', (line) => {
        this.log.write(`${line}\n`);
        this.tell(line);
      });
    }
    this.exited = new Promise((resolve) => {
      const done = (code: number | null): void => {
        this.hasExited = true;
        this.log.end();
        resolve(code);
      };
      this.process.once('exit', done);
      this.process.once('error', () => {
        done(null);
      });
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** The first log line that `find` accepts. Rejects when the child ends first or the time is up. */
  waitForLine<T>(find: (line: LogLine) => T | null, deadlineMs: number): Promise<T> {
    const { title, logFile } = this.options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${title} was not ready within ${deadlineMs} ms; its log is ${logFile}`));
      }, deadlineMs);
      this.waiters.push((line) => {
        const found = find(line);
        if (found === null) return;
        clearTimeout(timer);
        resolve(found);
      });
      void this.exited.then((code) => {
        clearTimeout(timer);
        reject(new Error(`${title} ended with code ${code ?? 'none'}; its log is ${logFile}`));
      });
    });
  }

  /** SIGTERM, and SIGKILL when that does not end it in time. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private tell(text: string): void {
    if (!text.startsWith('{')) return;
    try {
      const line = JSON.parse(text) as LogLine;
      for (const waiter of this.waiters) waiter(line);
    } catch {
      // Not a log line: the file has it.
    }
  }
}
