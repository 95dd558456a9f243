import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/until.js';

const STOP_DEADLINE_MS = 10_000;
const READY_DEADLINE_MS = 120_000;
/** How much of a log an error shows. */
const TAIL_CHARACTERS = 4_000;

export interface DaemonOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly logPath: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly isReady: () => Promise<boolean>;
}

/** A server process of a test, with its output in a file. */
export class Daemon {
  private constructor(
    private readonly child: ChildProcess,
    private readonly options: DaemonOptions,
  ) {}

  /** Resolves when it is ready; fails with the end of its log. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { program, args, logPath, environment } = options;
    const log = createWriteStream(logPath, { flags: 'a' });
    await once(log, 'open');
    const child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    log.close();
    const daemon = new Daemon(child, options);
    try {
      await daemon.ready();
      return daemon;
    } catch (error) {
      await daemon.stop();
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** SIGTERM; SIGKILL at the deadline. */
  async stop(): Promise<void> {
    if (!this.isRunning || this.child.pid === undefined) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await Promise.race([exited, pause(STOP_DEADLINE_MS, null, { ref: false })]);
    if (this.isRunning) this.child.kill('SIGKILL');
    await exited;
  }

  private async ready(): Promise<void> {
    const { program, logPath, isReady } = this.options;
    let failure: Error | null = null;
    this.child.once('error', (error) => (failure = error));
    try {
      await until(
        `${program} is ready`,
        async () => {
          if (failure !== null) throw failure;
          if (!this.isRunning) throw new Error(`${program} ended`);
          return (await isReady().catch(() => false)) ? true : null;
        },
        READY_DEADLINE_MS,
      );
    } catch (error) {
      const tail = (await readFile(logPath, 'utf8')).slice(-TAIL_CHARACTERS);
      throw new Error(`${program} did not become ready:\n${tail}`, { cause: error });
    }
  }
}

/** Whether somebody listens at a port of this machine. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
