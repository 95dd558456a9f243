import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureRedis, optionsFromEnvironment } from '@skipring/provision';
import { freePort } from './free-port.js';

/** A Redis server that can go away and come back at the same address, with what it had. */
export class RestartableRedis {
  private server: ChildProcess | null = null;

  private constructor(
    private readonly path: string,
    private readonly directory: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<RestartableRedis> {
    const { path } = await ensureRedis(optionsFromEnvironment(process.env));
    const directory = await mkdtemp(join(tmpdir(), 'skipring-redis-'));
    const redis = new RestartableRedis(path, directory, await freePort());
    await redis.come();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves when the server takes commands. */
  async come(): Promise<void> {
    const { path, directory, port } = this;
    const options = { bind: '127.0.0.1', port, dir: directory, appendonly: 'yes', save: '' };
    const server = spawn(
      path,
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.server = server;
    for await (const line of createInterface(server.stdout)) {
      if (line.includes('Ready to accept connections')) {
        server.stdout.resume();
        return;
      }
    }
    throw new Error(`${path} ended before it was ready`);
  }

  /** Resolves when the process has ended. */
  async goAway(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.server === null) return;
    const exited = once(this.server, 'exit');
    this.server.kill(signal);
    this.server = null;
    await exited;
  }

  /** From now on it keeps its connections, and answers nothing. */
  freeze(): void {
    this.server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.server?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    this.thaw();
    await this.goAway();
    await rm(this.directory, { recursive: true });
  }
}
