import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Container } from 'kubernetes-types/core/v1.js';
import { act, keepProbing, type ProbeTarget } from './probe.js';

export interface ContainerOptions {
  readonly target: ProbeTarget;
  readonly command: readonly string[];
  readonly logPath: string;
  /** Called at each change of what `state` tells. */
  readonly onChange: () => void;
}

export interface ContainerState {
  readonly isRunning: boolean;
  readonly isStarted: boolean;
  readonly isReady: boolean;
  readonly restartCount: number;
  readonly startedAt: Date;
  readonly exitCode: number | null;
}

/** A container is started again after this time; the kubelet begins with ten seconds. */
const RESTART_MS = 1_000;
const KILLED_BY_SIGNAL = 128 + 9;

/** A container as a process of this machine: started again when it ends or is not alive. */
export class ContainerProcess {
  private child: ChildProcess | null = null;
  private probing = new AbortController();
  private isStopping = false;
  private isStarted = false;
  private isReady = false;
  private restartCount = -1;
  private startedAt = new Date();
  private exitCode: number | null = null;

  constructor(private readonly options: ContainerOptions) {}

  get state(): ContainerState {
    const { isStarted, isReady, restartCount, startedAt, exitCode } = this;
    return { isRunning: this.isRunning, isStarted, isReady, restartCount, startedAt, exitCode };
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  async start(): Promise<void> {
    const { target, command, logPath } = this.options;
    const log = createWriteStream(logPath, { flags: 'a' });
    await once(log, 'open');
    const [program = '', ...args] = command;
    const child = spawn(program, args, { env: target.environment, stdio: ['ignore', log, log] });
    log.close();
    this.child = child;
    this.restartCount += 1;
    this.startedAt = new Date();
    this.exitCode = null;
    child.once('exit', (code) => void this.ended(code ?? KILLED_BY_SIGNAL));
    this.beginProbes(target.container);
    this.options.onChange();
  }

  /** The hook before it, SIGTERM, and SIGKILL when the time is over. */
  async stop(graceMs: number): Promise<void> {
    this.isStopping = true;
    this.probing.abort();
    const deadline = Date.now() + graceMs;
    const { preStop } = this.options.target.container.lifecycle ?? {};
    if (preStop !== undefined && this.isRunning) {
      await act(preStop, this.options.target, graceMs);
    }
    if (this.child === null || !this.isRunning) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const late = pause(Math.max(0, deadline - Date.now()), null, { ref: false });
    await Promise.race([exited, late]);
    if (this.isRunning) this.child.kill('SIGKILL');
    await exited;
  }

  private get isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  private async ended(code: number): Promise<void> {
    this.probing.abort();
    this.exitCode = code;
    this.isReady = false;
    this.isStarted = false;
    this.options.onChange();
    if (this.isStopping) return;
    await pause(RESTART_MS);
    if (!this.isStopping) await this.start();
  }

  /** Liveness and readiness count from when the start-up probe has succeeded. */
  private beginProbes({ startupProbe, livenessProbe, readinessProbe }: Container): void {
    this.probing = new AbortController();
    const { signal } = this.probing;
    const { target } = this.options;
    const started = (): void => {
      this.isStarted = true;
      this.isReady = readinessProbe === undefined;
      this.options.onChange();
      if (livenessProbe !== undefined) {
        void keepProbing(livenessProbe, target, signal, (isWell) => {
          if (!isWell) this.child?.kill('SIGKILL');
        });
      }
      if (readinessProbe !== undefined) {
        void keepProbing(readinessProbe, target, signal, (isWell) => {
          this.isReady = isWell;
          this.options.onChange();
        });
      }
    };
    if (startupProbe === undefined) started();
    else {
      const starting = new AbortController();
      const both = AbortSignal.any([signal, starting.signal]);
      void keepProbing(startupProbe, target, both, (isWell) => {
        starting.abort();
        if (isWell) started();
        else this.child?.kill('SIGKILL');
      });
    }
  }
}
