import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type LogLine = Readonly<Record<string, unknown>>;

/** A coordinator or worker as a process of its own, of the built program. */
export class ServerProcess {
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private output = '';

  private constructor(
    app: 'coordinator' | 'worker',
    environment: NodeJS.ProcessEnv,
    begun: readonly string[],
  ) {
    const words = [...begun, process.execPath, require.resolve(`@skipring/${app}/main`)];
    const [program = '', ...values] = words;
    this.child = spawn(program, values, {
      // The pipe closes when this process ends, however it ends, and the child leaves.
      env: { ...process.env, ...environment, SKIPRING_PARENT_PIPE: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdin?.on('error', () => undefined);
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.exited = once(this.child, 'exit').then((result) => {
      const [code, signal] = result as [number | null, NodeJS.Signals | null];
      return { code, signal };
    });
  }

  /**
   * Resolves with the process when it has written a log line that `isReady` takes.
   * @param begun what the command is begun with: a program that becomes it
   */
  static async start(
    app: 'coordinator' | 'worker',
    environment: NodeJS.ProcessEnv,
    isReady: (line: LogLine) => boolean,
    begun: readonly string[] = [],
  ): Promise<ServerProcess> {
    const server = new ServerProcess(app, environment, begun);
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: server.child.stdout! }).on('line', (text) => {
        server.output += `${text}\n`;
        if (isReady(JSON.parse(text) as LogLine)) resolve();
      });
    });
    const failed = server.exited.then(({ code }) => {
      throw new Error(`the ${app} ended with code ${code} before it was ready:\n${server.output}`);
    });
    // Once it is ready, its end is the test's business.
    failed.catch(() => undefined);
    await Promise.race([ready, failed]);
    return server;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the process did not start');
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The log lines of this event so far. */
  logged(event: string): LogLine[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => line.event === event);
  }

  /** All that it has logged. */
  get log(): string {
    return this.output;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGKILL, also of a frozen process; resolves when it has ended. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
