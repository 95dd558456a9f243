import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkipringClient } from '@skipring/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addGlyphs, runJob, smallJob, startCluster } from '../support/cluster.js';
import { freePort } from '../support/free-port.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { repository } from '../deploy/paths.js';
import { builtImages, ImageRoot, type ContainedProcess } from './image-root.js';

const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  version: string;
};
const COORDINATOR = `localhost/skipring/coordinator:${version}`;
const WORKER = `localhost/skipring/worker-cpu:${version}`;
const built = builtImages();
const canRun =
  process.getuid?.() === 0 && [COORDINATOR, WORKER].every((name) => built.includes(name));

const USER = 10_001;
const API_TOKEN = 'api-token-of-a-test';
const JOIN_TOKEN = 'join-token-of-a-test';

describe.skipIf(!canRun)(
  'the images (need root, and `ENGINE=buildah deploy/docker/build.sh`)',
  () => {
    let coordinator: ImageRoot;
    let worker: ImageRoot;
    let directory: string;

    const volume = (name: string): string => {
      const path = join(directory, name);
      mkdirSync(path, { recursive: true });
      chownSync(path, USER, USER);
      return path;
    };
    const output = async (image: ImageRoot, ...command: string[]): Promise<string> => {
      const contained = image.start({ environment: {}, volumes: {} }, command);
      await contained.ended();
      return contained.output;
    };

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'skipring-images-'));
      coordinator = ImageRoot.open(COORDINATOR);
      worker = ImageRoot.open(WORKER);
    });

    afterAll(() => {
      coordinator?.close();
      worker?.close();
      rmSync(directory, { recursive: true, force: true });
    });

    it('are of a reasonable size, and say what is in them', () => {
      for (const [name, image, mostBytes] of [
        ['coordinator', coordinator, 0.7e9],
        ['worker-cpu', worker, 1.5e9],
      ] as const) {
        process.stdout.write(`${name}: ${(image.sizeBytes / 1e9).toFixed(2)} GB\n`);
        expect(image.sizeBytes).toBeLessThan(mostBytes);
        const { Labels, Healthcheck } = image.config;
        expect(Labels['org.opencontainers.image.version']).toBe(version);
        expect(Healthcheck?.Test[0]).toBe('CMD');
        const sbom = JSON.parse(
          readFileSync(join(image.path, Labels['org.skipring.sbom'] ?? ''), 'utf8'),
        ) as { bomFormat: string; components: { name: string }[] };
        expect(sbom.bomFormat).toBe('CycloneDX');
        const names = sbom.components.map((component) => component.name);
        expect(names).toContain('zod');
        expect(names).not.toContain('vitest');
      }
    });

    it('run as a user without rights on a root that cannot be written to', async () => {
      for (const image of [coordinator, worker]) {
        expect(image.config.User).toBe(`${USER}:${USER}`);
        expect(await output(image, 'id', '-u')).toBe(`${USER}\n`);
        expect(await output(image, 'touch', '/app/file')).toContain('Read-only file system');
        expect(await output(image, 'sh', '-c', 'echo 1 > /tmp/file && cat /tmp/file')).toBe('1\n');
        const first = await output(image, 'sh', '-c', 'tr "\\0" " " < /proc/1/cmdline');
        expect(first).toMatch(/^tini -- /);
      }
    });

    it('have neither a compiler nor a package manager of Node.js', () => {
      for (const { path } of [coordinator, worker]) {
        for (const program of ['gcc', 'g++', 'cc', 'clang', 'make', 'python3', 'npm', 'npx']) {
          for (const bin of ['usr/bin', 'usr/local/bin']) {
            expect(existsSync(join(path, bin, program)), program).toBe(false);
          }
        }
        expect(existsSync(join(path, 'app/node_modules/typescript'))).toBe(false);
      }
    });

    it('train the model that the same job gives outside, and stop in order', async () => {
      const redis: TestRedis = await startTestRedis();
      const running: ContainedProcess[] = [];
      try {
        const port = await freePort();
        const url = `http://127.0.0.1:${port}`;
        const startedAt = performance.now();
        running.push(
          coordinator.start({
            environment: {
              REDIS_URL: redis.url,
              SKIPRING_HOST: '127.0.0.1',
              SKIPRING_PORT: String(port),
              SKIPRING_API_TOKEN: API_TOKEN,
              SKIPRING_JOIN_TOKEN: JOIN_TOKEN,
            },
            volumes: { '/var/lib/skipring': volume('coordinator') },
          }),
        );
        await until(
          'the coordinator is ready',
          async () => {
            const response = await fetch(`${url}/health/ready`).catch(() => null);
            return response?.ok === true ? true : null;
          },
          60_000,
        );
        tell('coordinator', startedAt);
        const client = new SkipringClient({ url, token: API_TOKEN });
        const workerStartedAt = performance.now();
        for (const id of ['w1', 'w2']) {
          running.push(
            worker.start({
              environment: {
                SKIPRING_COORDINATOR_URL: url,
                SKIPRING_JOIN_TOKEN: JOIN_TOKEN,
                SKIPRING_WORKER_ID: id,
                SKIPRING_WORKER_RING_PORT: '0',
                SKIPRING_WORKER_METRICS_PORT: '0',
              },
              volumes: { '/var/cache/skipring': volume(id) },
            }),
          );
        }
        await until(
          'both workers are idle',
          async () => ((await client.workers()).length === 2 ? true : null),
          120_000,
        );
        tell('worker-cpu', workerStartedAt);
        const dataSet = await addGlyphs(client, 256, 64);
        const inside = await runJob(client, smallJob(dataSet, { workers: { min: 2, max: 2 } }));

        for (const contained of running.splice(0).reverse()) expect(await contained.stop()).toBe(0);
        expect(inside).toBe(await modelOutside());
      } catch (error) {
        throw new Error(running.map((contained) => contained.output).join('\n'), { cause: error });
      } finally {
        for (const contained of running) contained.kill();
        await redis.stop();
      }
    });
  },
);

async function modelOutside(): Promise<string> {
  const { client, stop } = await startCluster(1);
  try {
    return await runJob(client, smallJob(await addGlyphs(client, 256, 64)));
  } finally {
    await stop();
  }
}

function tell(name: string, startedAt: number): void {
  const seconds = (performance.now() - startedAt) / 1_000;
  process.stdout.write(`${name}: started in ${seconds.toFixed(1)} s\n`);
}
