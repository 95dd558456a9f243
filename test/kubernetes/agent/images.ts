import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ensureRedis, optionsFromEnvironment } from '@skipring/provision';

const require = createRequire(import.meta.url);
const BIN = fileURLToPath(new URL('bin', import.meta.url));

/** What an image holds, as a program of this machine. */
export interface Image {
  readonly command: readonly string[];
  /** As its `ENV` instructions have it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Directories of programs, before those of the machine. */
  readonly path: readonly string[];
}

/** By repository, without the tag. The paths of `Dockerfile` lie below `/app`. */
export async function images(): Promise<ReadonlyMap<string, Image>> {
  const options = optionsFromEnvironment(process.env);
  const { path: redisServer } = await ensureRedis(options);
  const app = (name: string, environment: Record<string, string>): Image => ({
    command: [process.execPath, require.resolve(`@skipring/${name}/main`)],
    environment: { NODE_ENV: 'production', SKIPRING_DEVICE: 'cpu', ...environment },
    path: [],
  });
  const worker = app('worker', { SKIPRING_WORKER_METRICS_HOST: '0.0.0.0' });
  return new Map([
    [
      'skipring/coordinator',
      app('coordinator', { SKIPRING_HOST: '0.0.0.0', SKIPRING_PORT: '7400' }),
    ],
    ['skipring/worker-cpu', worker],
    // No GPU is needed to see that the right number of Pods runs in the right places.
    ['skipring/worker-cuda', worker],
    [
      'redis',
      { command: ['redis-server'], environment: { REDIS_SERVER: redisServer }, path: [BIN] },
    ],
  ]);
}

/** `registry/name:tag` is `registry/name`. */
export function repositoryOf(image: string): string {
  return image.replace(/[:@][^/]*$/, '');
}
