import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ensureRedis,
  optionsFromEnvironment,
  startRedis,
  type RunningRedis,
} from '@skipring/provision';

/** A Redis server of a test's own. */
export interface TestRedis {
  readonly server: RunningRedis;
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'skipring-redis-'));
  const { path } = await ensureRedis(optionsFromEnvironment(process.env));
  const server = await startRedis({ serverPath: path, dataDir });
  return {
    server,
    url: server.url,
    async stop() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
