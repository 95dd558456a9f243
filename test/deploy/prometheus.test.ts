import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boards, GENERATION_MARKS, readRuleGroups, withoutVariables } from '@skipring/dashboards';
import { deviceMetrics } from '@skipring/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addGlyphs, smallJob, startCluster, type TestCluster } from '../support/cluster.js';
import { ensureDebianProgram } from '../support/debian-program.js';
import { until } from '../support/until.js';
import { deployDirectory } from './paths.js';
import { PrometheusServer } from './prometheus-server.js';

const program = await ensureDebianProgram('prometheus', 'prometheus');
const rules = join(deployDirectory, 'prometheus', 'rules');
const recorded = readRuleGroups(rules)
  .flatMap((group) => group.rules)
  .flatMap((rule) => ('record' in rule ? [rule.record] : []));

/** Of a worker with a GPU only. */
const needsDevice = (expression: string): boolean =>
  Object.values(deviceMetrics).some(({ name }) => expression.includes(name));

/** Every expression of every panel that needs no GPU, with where it stands. */
const expressions = [
  ...boards.flatMap((board) =>
    board.rows.flatMap((row) =>
      row.panels.flatMap((panel) =>
        panel.queries.map(({ expression, legend }) => ({
          where: `${board.title} / ${panel.title} / ${legend}`,
          expression: withoutVariables(expression),
        })),
      ),
    ),
  ),
  ...recorded.map((name) => ({ where: 'recording rule', expression: name })),
].filter(({ expression }) => !needsDevice(expression));

/** Addresses of the workers' metrics, which they write to their logs. */
async function workerTargets(logDirectory: string): Promise<string[]> {
  const logs = (await readdir(logDirectory)).filter((name) => name.startsWith('worker'));
  const texts = await Promise.all(logs.map((name) => readFile(join(logDirectory, name), 'utf8')));
  return texts.flatMap((text) => {
    const port = /"metricsPort":(\d+)/.exec(text)?.[1];
    return port === undefined ? [] : [`127.0.0.1:${port}`];
  });
}

describe.skipIf(program === undefined)(
  'Prometheus (needs the program prometheus, or apt to fetch it)',
  () => {
    let test: TestCluster;
    let prometheus: PrometheusServer;

    beforeAll(async () => {
      test = await startCluster(2);
      const { url, token } = test.cluster.endpoint;
      const workers = await until('the workers tell their ports', async () => {
        const targets = await workerTargets(test.cluster.logDirectory);
        return targets.length === 2 ? targets : null;
      });
      prometheus = await PrometheusServer.start(program!, rules, {
        coordinator: new URL(url).host,
        token,
        workers,
      });
      // Counters must have been seen at nought before they count.
      await until('the targets are scraped', async () =>
        (await prometheus.query('up == 1')).length === 3 ? true : null,
      );
      const dataSet = await addGlyphs(test.client, 256, 64);
      const training = { steps: 100_000, learningRate: 0.05 };
      await test.client.submit(smallJob(dataSet, { training, workers: { min: 1, max: 2 } }));
    });

    afterAll(async () => {
      await prometheus?.stop();
      await test?.stop();
    });

    it('has data for every panel and recording rule while a job trains', async () => {
      const missing = new Set(expressions);
      await until(
        'all expressions have data',
        async () => {
          for (const entry of missing) {
            const result = await prometheus.query(entry.expression);
            if (result.some(({ value }) => Number.isFinite(Number(value[1]))))
              missing.delete(entry);
          }
          return missing.size === 0 ? true : null;
        },
        90_000,
      ).catch((error: unknown) => {
        throw new Error(
          `no data for\n${[...missing].map(({ where, expression }) => `  ${where}: ${expression}`).join('\n')}`,
          { cause: error },
        );
      });
    });

    it('evaluates every rule, and none fires on a sound cluster', async () => {
      const states = await until('all rules are evaluated', async () => {
        const all = await prometheus.rules();
        return all.every(({ health }) => health !== 'unknown') ? all : null;
      });
      expect(states.filter(({ health }) => health !== 'ok')).toEqual([]);
      expect(await prometheus.firing()).toEqual([]);
    });

    it('tells of a worker that is killed, and marks the generation that follows', async () => {
      process.kill(test.cluster.workerPids[0]!, 'SIGKILL');
      await until('the loss fires', async () =>
        (await prometheus.firing()).includes('SkipringWorkerLost') ? true : null,
      );
      await until('the new generation is marked', async () =>
        (await prometheus.query(withoutVariables(GENERATION_MARKS))).length === 1 ? true : null,
      );
      const [desired] = await prometheus.query('skipring_desired_workers{threads="1"}');
      expect(desired?.value[1]).toBe('2');
      const [connected] = await prometheus.query('sum(skipring_workers)');
      expect(connected?.value[1]).toBe('1');
    });
  },
);
