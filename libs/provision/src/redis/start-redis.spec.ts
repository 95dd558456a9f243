import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, identify } from '../cache/process-identity.js';
import { optionsFromEnvironment } from '../options/environment.js';
import { ensureRedis } from '../provision.js';
import { redisConfig } from './redis-config.js';
import { pingRedis } from './redis-ping.js';
import { startRedis, type RunningRedis } from './start-redis.js';

/** Sends inline commands and returns the raw replies once `numReplies` lines have come. */
async function ask(redis: RunningRedis, ...commands: string[]): Promise<string[]> {
  const socket = connect({ host: '127.0.0.1', port: redis.port });
  socket.write(['AUTH ' + redis.password, ...commands, 'QUIT'].map((c) => `${c}\r\n`).join(''));
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(socket, 'close');
  return text.trim().split('\r\n').slice(1, -1);
}

describe('startRedis', () => {
  let serverPath: string;
  let dataDir: string;
  const running: RunningRedis[] = [];
  const start = async (dir = dataDir): Promise<RunningRedis> => {
    const redis = await startRedis({ serverPath, dataDir: dir });
    running.push(redis);
    return redis;
  };

  beforeAll(async () => {
    serverPath = (await ensureRedis(optionsFromEnvironment(process.env))).path;
  });
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'skipring redis "quoted" '));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((redis) => redis.stop()));
    await rm(dataDir, { recursive: true });
  });

  it('starts a server that wants its password and never evicts', async () => {
    const redis = await start();
    expect(await pingRedis(redis.port, 'wrong', 1000)).toBe('refused');
    expect(await pingRedis(redis.port, redis.password, 1000)).toBe('ready');
    expect(redis.url).toBe(`redis://:${redis.password}@127.0.0.1:${redis.port}`);
    expect(await ask(redis, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
    expect(await ask(redis, 'CONFIG GET appendonly')).toContain('yes');
  });

  it('keeps its data from one run to the next', async () => {
    const first = await start();
    expect(await ask(first, 'SET key value')).toEqual(['+OK']);
    await first.stop();
    expect(await ask(await start(), 'GET key')).toEqual(['$5', 'value']);
    expect(await readdir(dataDir)).toContain('appendonly.aof');
    expect((await stat(dataDir)).mode & 0o077).toBe(0);
  });

  it('refuses a data directory that another server uses', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'REDIS_DATA_DIR_IN_USE' });
  });

  it('tells when the server ends, and frees the directory', async () => {
    const redis = await start();
    process.kill(redis.pid, 'SIGKILL');
    expect(await redis.exited).toEqual({ status: null, signal: 'SIGKILL' });
    await redis.stop();
    await start();
  });

  it('says what a server that cannot run has logged', async () => {
    await writeFile(join(dataDir, 'appendonly.aof'), 'no append-only file');
    await expect(start()).rejects.toMatchObject({
      code: 'REDIS_START_FAILED',
      message: expect.stringMatching(/AOF|append/) as string,
    });
  });

  it('says when the program is not there', async () => {
    await expect(startRedis({ serverPath: join(dataDir, 'none'), dataDir })).rejects.toMatchObject({
      code: 'REDIS_START_FAILED',
    });
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const module = new URL('../../dist/redis/start-redis.js', import.meta.url).href;
    const script = `
      const { startRedis } = await import(${JSON.stringify(module)});
      const { pid } = await startRedis(JSON.parse(process.argv[1]));
      console.log(pid);`;
    const options = JSON.stringify({ serverPath, dataDir });
    const launcher = spawn(process.execPath, ['--input-type=module', '-e', script, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(launcher.stdout, 'data')) as [Buffer];
    const server = identify(Number(line.toString()));
    expect(server).toBeDefined();
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    // The next server waits for the orphan to end, and takes its data over.
    const next = await start();
    expect(isAlive(server!)).toBe(false);
    expect(await pingRedis(next.port, next.password, 1000)).toBe('ready');
  });
});

describe('redisConfig', () => {
  it('quotes what a directory name may hold', () => {
    const config = redisConfig({ port: 1, password: 'p', dataDir: '/a "b"\n\\c' });
    expect(config).toContain('dir "/a \\x22b\\x22\\x0a\\x5cc"\n');
  });
});
