import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const entry = createRequire(import.meta.url).resolve('@skipring/coordinator/main');

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

export interface CoordinatorProcess {
  readonly url: string;
  readonly port: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
  readonly stop: () => Promise<void>;
}

/** Runs the built program to its end, with nothing but this environment. */
export function runCoordinator(environment: Readonly<Record<string, string>>): Promise<Ended> {
  return start(environment).ended;
}

/** Starts the built program on a free port, with these settings too, and waits until it listens. */
export async function startCoordinatorProcess(
  redisUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<CoordinatorProcess> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'skipring-coordinator-'));
  const { child, ended } = start({
    REDIS_URL: redisUrl,
    SKIPRING_PORT: '0',
    SKIPRING_DATA_DIR: dataDirectory,
    SKIPRING_KEY_PREFIX: 'process',
    ...settings,
  });
  const url = await listening(child);
  return {
    url,
    port: Number(new URL(url).port),
    kill: (signal) => child.kill(signal),
    ended,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      await rm(dataDirectory, { recursive: true });
    },
  };
}

function start(environment: Readonly<Record<string, string>>): {
  child: ChildProcess;
  ended: Promise<Ended>;
} {
  const child = spawn(process.execPath, [entry], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then((result): Ended => {
    const [code, signal] = result as [number | null, NodeJS.Signals | null];
    return { code, signal, output, errors };
  });
  return { child, ended };
}

async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface(child.stdout!)) {
    const entry = JSON.parse(line) as { event?: string; url?: string };
    if (entry.event === 'listening' && entry.url !== undefined) {
      child.stdout!.resume();
      return entry.url;
    }
  }
  throw new Error('the coordinator ended before it listened');
}
