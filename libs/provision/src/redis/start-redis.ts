import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive, parseIdentity } from '../cache/process-identity.js';
import { acquireLock } from '../cache/process-lock.js';
import { ProvisionError } from '../errors.js';
import { redisConfig } from './redis-config.js';
import { pingRedis } from './redis-ping.js';
import { startWatchdog } from './watchdog.js';

/** How to start a private Redis server. */
export interface RedisOptions {
  /** The program, from `findRedisServer`. */
  readonly serverPath: string;
  /** Directory for its append-only file; made if absent. One server at a time. */
  readonly dataDir: string;
  /** Loopback port; a free one is chosen when it is left out. */
  readonly port?: number;
  /** How long the server may take to read its data and answer; 30 s when left out. */
  readonly readyDeadlineMs?: number;
  /** How long it may take to end before it is killed; 10 s when left out. */
  readonly stopDeadlineMs?: number;
  /** Told each line that the server logs. */
  readonly onLog?: (line: string) => void;
}

/** How a server ended. */
export interface RedisExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server that answers. */
export interface RunningRedis {
  /** `redis://:PASSWORD@127.0.0.1:PORT`. Holds the password: do not log it. */
  readonly url: string;
  readonly port: number;
  readonly password: string;
  readonly pid: number;
  /** Settles when the server ends, for whatever reason. */
  readonly exited: Promise<RedisExit>;
  /** Ends the server in an orderly way, then by force; safe to call twice. */
  stop(): Promise<void>;
}

const POLL_MS = 50;
const MAX_PORT_ATTEMPTS = 5;
/** A launcher that was killed leaves a server that ends within moments. */
const PREDECESSOR_DEADLINE_MS = 15_000;

/**
 * Starts a Redis server of our own on a loopback port with a random password, and waits until it
 * takes commands. The password goes through standard input, so neither the process list nor the
 * disk shows it. The server is in a session of its own (Ctrl-C does not reach it) and ends with
 * this process, however that ends.
 *
 * @throws ProvisionError `REDIS_DATA_DIR_IN_USE` when another server uses `dataDir`,
 * `REDIS_START_FAILED` with the end of its log when it does not come up in time.
 */
export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = await acquireLock(join(dataDir, 'redis.lock'), { deadlineMs: 1000 }).catch(
    (error: unknown) => {
      throw error instanceof ProvisionError && error.code === 'LOCK_TIMEOUT'
        ? inUse(dataDir, error)
        : error;
    },
  );
  try {
    await awaitPredecessor(dataDir);
    for (let attempt = 1; ; attempt += 1) {
      const port = options.port ?? (await freePort());
      const started = await launch(options, dataDir, port);
      if (started !== 'port taken') {
        void started.exited.then(() => lock.release());
        return started;
      }
      if (options.port !== undefined || attempt >= MAX_PORT_ATTEMPTS) {
        throw startFailed(`port ${port} of 127.0.0.1 is taken by another program`);
      }
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function launch(
  options: RedisOptions,
  dataDir: string,
  port: number,
): Promise<RunningRedis | 'port taken'> {
  const password = randomBytes(24).toString('hex');
  const server = spawn(options.serverPath, ['-'], {
    cwd: dataDir,
    detached: true,
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log = keepLog(server, options.onLog);
  const exited = new Promise<RedisExit>((settle) => {
    server.once('error', () => {
      settle({ status: null, signal: null });
    });
    server.once('exit', (status, signal) => {
      settle({ status, signal });
    });
  });
  let running = true;
  void exited.then(() => (running = false));
  server.stdin.on('error', () => undefined);
  server.stdin.end(redisConfig({ port, password, dataDir }));
  const pid = server.pid;
  if (pid === undefined) throw startFailed(`${options.serverPath} cannot be executed`);

  const watchdog = startWatchdog(pid);
  void exited.then(() => watchdog.kill('SIGKILL'));
  await writeFile(join(dataDir, 'redis.pid'), JSON.stringify(identify(pid) ?? {}));
  const stop = async (): Promise<void> => {
    const force = setTimeout(() => server.kill('SIGKILL'), options.stopDeadlineMs ?? 10_000);
    if (running) server.kill('SIGTERM');
    await exited;
    clearTimeout(force);
    await rm(join(dataDir, 'redis.pid'), { force: true });
  };

  const deadlineMs = options.readyDeadlineMs ?? 30_000;
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await Promise.race([pingRedis(port, password, 1000), exited]);
    if (answer === 'ready') break;
    if (typeof answer === 'object' || answer === 'refused') {
      await stop();
      // The last lines of the log can come after the end of the process.
      await Promise.race([log.complete, sleep(1000)]);
      if (answer === 'refused' || log.tail().includes('Address already in use'))
        return 'port taken';
      throw startFailed(`${options.serverPath} ended at once:\n${log.tail()}`);
    }
    if (Date.now() >= deadline) {
      await stop();
      throw startFailed(`no answer within ${deadlineMs} ms:\n${log.tail()}`);
    }
    await sleep(POLL_MS);
  }
  return { url: `redis://:${password}@127.0.0.1:${port}`, port, password, pid, exited, stop };
}

/** Waits for a server that its killed launcher left to end. */
async function awaitPredecessor(dataDir: string): Promise<void> {
  const text = await readFile(join(dataDir, 'redis.pid'), 'utf8').catch(() => '');
  const predecessor = parseIdentity(text);
  if (predecessor === undefined) return;
  const deadline = Date.now() + PREDECESSOR_DEADLINE_MS;
  while (isAlive(predecessor) === true) {
    if (Date.now() >= deadline) throw inUse(dataDir);
    await sleep(POLL_MS);
  }
}

interface ServerLog {
  /** The last lines. */
  tail(): string;
  /** Settles when no further line can come. */
  readonly complete: Promise<void>;
}

function keepLog(server: ChildProcess, onLog?: (line: string) => void): ServerLog {
  const kept: string[] = [];
  for (const stream of [server.stdout, server.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).slice(-65_536).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        kept.push(line);
        if (kept.length > 30) kept.shift();
        onLog?.(line);
      }
    });
  }
  const complete = new Promise<void>((settle) => {
    server.once('close', () => {
      settle();
    });
  });
  return { tail: () => kept.join('\n'), complete };
}

/** A loopback port that is free now; another program may still take it before the server does. */
async function freePort(): Promise<number> {
  return new Promise((settle, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => {
        settle(port);
      });
    });
  });
}

function startFailed(detail: string): ProvisionError {
  return new ProvisionError(
    'REDIS_START_FAILED',
    `the Redis server did not start: ${detail}`,
    'start a Redis of your own and give its address in REDIS_URL',
  );
}

function inUse(dataDir: string, cause?: unknown): ProvisionError {
  return new ProvisionError(
    'REDIS_DATA_DIR_IN_USE',
    `another Redis server uses ${dataDir}`,
    'stop it, or choose another data directory',
    { cause },
  );
}
