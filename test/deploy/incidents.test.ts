import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addGlyphs, smallJob } from '../support/cluster.js';
import { ensureDebianProgram } from '../support/debian-program.js';
import { until } from '../support/until.js';
import { JobWatch } from '../system/job-watch.js';
import { ProcessCluster } from '../system/process-cluster.js';
import { deployDirectory } from './paths.js';
import { PrometheusServer } from './prometheus-server.js';

const program = await ensureDebianProgram('prometheus', 'prometheus');
const ENDLESS = { steps: 100_000, learningRate: 0.05 };
const DEADLINE_MS = 90_000;

describe.skipIf(program === undefined)(
  'the alert on an incident (needs the program prometheus, or apt to fetch it)',
  () => {
    let cluster: ProcessCluster;
    let prometheus: PrometheusServer;

    afterEach(async () => {
      await prometheus?.stop();
      await cluster?.stop();
    });

    /** A cluster of two workers under watch, with a job in training. */
    async function training(checkpointSteps: number): Promise<JobWatch> {
      cluster = await ProcessCluster.start(2);
      prometheus = await PrometheusServer.start(
        program!,
        join(deployDirectory, 'prometheus', 'rules'),
        { coordinator: new URL(cluster.url).host, token: cluster.token, workers: [] },
      );
      // Counters must have been seen at nought before they count.
      await until('the coordinator is scraped', async () =>
        (await prometheus.query('up == 1')).length === 1 ? true : null,
      );
      const dataSet = await addGlyphs(cluster.client, 256, 64);
      const checkpoints = { everySteps: checkpointSteps };
      const spec = smallJob(dataSet, {
        training: ENDLESS,
        checkpoints,
        workers: { min: 1, max: 2 },
      });
      const { id } = await cluster.client.submit(spec);
      const watch = new JobWatch(cluster.client, id);
      await watch.step(3);
      expect(await prometheus.firing()).toEqual([]);
      return watch;
    }

    const fires = (alert: string): Promise<true> =>
      until(
        `${alert} fires`,
        async () => ((await prometheus.firing()).includes(alert) ? true : null),
        DEADLINE_MS,
      );

    it('fires when a worker freezes', async () => {
      const watch = await training(1_000);
      const [frozen] = (await cluster.client.job(watch.id)).workers;
      cluster.worker(frozen!).signal('SIGSTOP');
      await fires('SkipringWorkerLost');
      await watch.first('generation', ({ workers }) => !workers.includes(frozen!), DEADLINE_MS);
      watch.close();
    });

    it('fires when the disk takes nothing more, and not because of what is stored later', async () => {
      const watch = await training(5);
      await watch.first('checkpoint', () => true, DEADLINE_MS);
      limitFiles(cluster.leader.pid, '0');
      await fires('SkipringCheckpointFailing');
      limitFiles(cluster.leader.pid, 'unlimited');
      const known = watch.ofType('checkpoint').length;
      await watch.first(
        'checkpoint',
        (event) => watch.ofType('checkpoint').indexOf(event) > known,
        DEADLINE_MS,
      );
      watch.close();
    });

    it('waits for its time when Redis is away', async () => {
      const watch = await training(1_000);
      watch.close();
      await cluster.stopRedis();
      await until(
        'SkipringRedisDown is pending',
        async () => {
          const rules = await prometheus.rules();
          const rule = rules.find(({ name }) => name === 'SkipringRedisDown');
          return rule?.state === 'pending' || rule?.state === 'firing' ? true : null;
        },
        DEADLINE_MS,
      );
    });
  },
);

/** The most bytes that files of a process may have: beyond, writes fail as on a disk that is full. */
function limitFiles(pid: number, limit: string): void {
  const { status } = spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${limit}:unlimited`]);
  if (status !== 0) throw new Error(`prlimit of process ${pid}: status ${status}`);
}
