import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplesOf } from '../support/exposition.js';
import { until } from '../support/until.js';
import { DisturbedJob } from '../system/disturbed-job.js';
import { ProcessCluster } from '../system/process-cluster.js';
import { expectExactLedger } from './recovery.js';

/** Room for the checkpoints of some jobs, of less than 1 MB each. */
const DISK_BYTES = 32e6;
/** Steps enough to find the disk full, and to make room before the last checkpoint, which must be stored. */
const NUM_EPOCHS = 20;

const disk = mkdtempSync(join(tmpdir(), 'skipring-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'none', disk]);
if (mounted.status !== 0) rmSync(disk, { recursive: true });

describe.skipIf(mounted.status !== 0)(
  'while the disk of checkpoints is full (needs root, to mount a small one)',
  () => {
    let cluster: ProcessCluster;
    let job: DisturbedJob;
    const ballast = join(disk, 'ballast');

    beforeAll(async () => {
      cluster = await ProcessCluster.start(2, { environment: { SKIPRING_CHECKPOINTS: disk } });
      job = await DisturbedJob.prepare(cluster, { numEpochs: NUM_EPOCHS });
    });
    afterAll(async () => {
      await cluster.stop();
      spawnSync('umount', ['--lazy', disk]);
      rmSync(disk, { recursive: true });
    });

    async function numFailedUploads(): Promise<number> {
      const headers = { authorization: `Bearer ${cluster.token}` };
      const page = await (await fetch(`${cluster.url}/metrics`, { headers })).text();
      return samplesOf(page).get('skipring_checkpoint_uploads_total{result="failed"}') ?? 0;
    }

    it('training goes on, the metric of the alert counts, and nothing half-written stays', async () => {
      await expect(writeFile(ballast, Buffer.alloc(DISK_BYTES))).rejects.toMatchObject({
        code: 'ENOSPC',
      });
      const before = await numFailedUploads();
      const watch = await job.submit({ min: 2 });
      const told = await watch.first(
        'log',
        ({ level, message }) => level !== 'info' && message.includes('heckpoint'),
      );
      expect(told.message).toContain('ENOSPC');
      expect(watch.before(told, 'checkpoint')).toEqual([]);
      await until('the metric counts', async () =>
        (await numFailedUploads()) > before ? true : null,
      );
      await watch.step(watch.lastStepBefore(told) + 1);

      await rm(ballast);
      await watch.first('checkpoint', () => true);
      const { attempt } = await job.expectSame(watch);
      expect(attempt).toBe(1);
      expect(watch.ofType('generation')).toHaveLength(1);
      await expectExactLedger(cluster, watch);
      const names = await readdir(disk, { recursive: true });
      expect(names.filter((name) => name.includes('.tmp-'))).toEqual([]);
      watch.close();
    });
  },
);
