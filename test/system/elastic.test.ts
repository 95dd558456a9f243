import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DisturbedJob } from './disturbed-job.js';
import type { JobWatch } from './job-watch.js';
import { ProcessCluster } from './process-cluster.js';

/** One epoch of 101 steps. */
const NUM_TRAIN = 6_011;
/** Of each step, at least: so that workers start, load and join while the job runs, also on a fast machine. */
const STEP_MS = 150;
/** The long form: `SKIPRING_RESIZES=10 npx vitest run --project system test/system/elastic.test.ts`. */
const NUM_RESIZES = Number(process.env.SKIPRING_RESIZES ?? 1);
const TIMEOUT_MS = 600_000;
const END_DEADLINE_MS = 300_000;
/** Steps between two changes of the members: other ones each time, and the same in every run. */
const PAUSES = [3, 1, 4, 2, 7, 1, 2, 5];

describe('a job that runs while workers come and go', () => {
  let cluster: ProcessCluster;
  let job: DisturbedJob;

  beforeAll(async () => {
    cluster = await ProcessCluster.start(1, { environment: { SKIPRING_FAULTS: '1' } });
    job = await DisturbedJob.prepare(cluster, {
      numEpochs: 1,
      numTrain: NUM_TRAIN,
      endDeadlineMs: END_DEADLINE_MS,
    });
  }, TIMEOUT_MS);
  beforeEach(() => cluster.haveWorkers(1));
  afterAll(() => cluster.stop());

  /** Resolves when the job trains on so many workers, and some steps are committed by them. */
  async function trainsOn(
    watch: JobWatch,
    numWorkers: number,
    numSteps: number,
  ): Promise<string[]> {
    const generation = await watch.first(
      'generation',
      ({ workers }) => workers.length === numWorkers,
    );
    await watch.step(generation.step + numSteps);
    return generation.workers;
  }

  it.each(Array.from({ length: NUM_RESIZES }, (_, index) => index))(
    'grows from 1 to 2 and 4 workers, shrinks to 3 and 1, and ends with the same bits (%i)',
    async (round) => {
      const pause = (index: number): number => PAUSES[(round + index) % PAUSES.length]!;
      const watch = await job.submit({ max: 4 });
      await watch.generation(1);
      const slow = { kind: 'hang', rank: 0, step: 1, phase: 'dataFetch' } as const;
      const fault = { ...slow, durationMs: STEP_MS, count: job.totalSteps };
      await cluster.client.armFault({ jobId: watch.id, fault });
      await trainsOn(watch, 1, pause(0));
      await cluster.addWorker();
      await trainsOn(watch, 2, pause(1));
      await Promise.all([cluster.addWorker(), cluster.addWorker()]);
      const four = await trainsOn(watch, 4, pause(2));
      // Shrinking: the generations of 3 and 1 are the first of those sizes after that of 4, or were
      // on the way to it; so the last one is looked at, and how it came about.
      const leaver = cluster.worker(four[round % 4]!);
      leaver.signal('SIGTERM');
      expect(await leaver.exited).toEqual({ code: 0, signal: null });
      const stay = four.filter((id) => id !== four[round % 4]);
      // In any order: the ring may be laid anew by what was measured of its links.
      const staying = [...stay].sort().join();
      await watch.first('generation', ({ workers }) => [...workers].sort().join() === staying);
      await watch.step(watch.ofType('step').at(-1)!.metrics.step + pause(3));
      const leavers = stay.slice(1).map((id) => cluster.worker(id));
      for (const worker of leavers) worker.signal('SIGTERM');
      for (const { exited } of leavers) expect(await exited).toEqual({ code: 0, signal: null });

      const { attempt } = await job.expectSame(watch);
      expect(attempt).toBe(1);
      const last = watch.ofType('generation').at(-1)!;
      expect(last.workers).toEqual([stay[0]]);
      expect(last.step).toBeLessThan(job.totalSteps);
      // Nobody was lost, and no committed step was done again.
      expect(watch.problems).toEqual([]);
      for (const generation of watch.ofType('generation')) {
        // The last step may be committed and not yet told of.
        expect(generation.step).toBeGreaterThanOrEqual(watch.lastStepBefore(generation));
      }
      const { isExact, epochs } = await cluster.client.ledger(watch.id);
      expect(isExact).toBe(true);
      expect(epochs.map(({ samples }) => samples)).toEqual([NUM_TRAIN]);
    },
    TIMEOUT_MS,
  );
});
