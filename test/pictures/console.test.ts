import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { JobSpecInput } from '@skipring/protocol';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { NARROW, openBrowser, untilTrue, type TestBrowser } from '../browser/browser.js';
import { repository } from '../deploy/paths.js';
import { ensureChromium } from '../support/chromium.js';
import { addGlyphs, smallJob, waitForJob } from '../support/cluster.js';
import { until } from '../support/until.js';
import { JobWatch } from '../system/job-watch.js';
import { ProcessCluster } from '../system/process-cluster.js';

const SHOWN = { width: 1_200, height: 860 };
/** Of a job, before one of its workers is killed. */
const STEPS_BEFORE_LOSS = 60;
const NUM_DRAWN_STEPS = 40;
const chromium = ensureChromium();

interface Picture {
  readonly name: string;
  readonly path: string;
  /** CSS selector of what is on the page once it is whole. */
  readonly whenSeen: string;
  /** CSS selector of what is scrolled to. */
  readonly at?: string;
  /** CSS selector of what is unfolded. */
  readonly unfolded?: string;
}

/** The pictures that docs/console.md shows, by name and theme; all of them are taken in both. */
const DOCUMENTED = new Map([
  ['jobs', 'light'],
  ['job', 'light'],
  ['layers', 'dark'],
  ['compare', 'dark'],
  ['evaluation', 'light'],
  ['sweep', 'dark'],
  ['new-sweep', 'light'],
  ['tokens', 'light'],
  ['webhook', 'dark'],
]);

it.skipIf('missing' in chromium)('draws the console, each page in both themes', async () => {
  if ('missing' in chromium) return;
  // All of them, wide and narrow, are for one who works on the console.
  const everything = process.env.SKIPRING_PICTURES_DIR;
  const documented = join(repository, 'docs/pictures');
  for (const directory of [documented, everything]) {
    if (directory !== undefined) await mkdir(directory, { recursive: true });
  }
  const cluster = await ProcessCluster.start(2, {
    environment: { SKIPRING_WEBHOOKS_PRIVATE: '1' },
  });
  let numDelivered = 0;
  const receiver = createServer((request, response) => {
    request.resume();
    // Of a receiver that is away at first.
    response.writeHead((numDelivered += 1) > 2 ? 204 : 503).end();
  });
  let browser: TestBrowser | undefined;
  try {
    await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
    const { port } = receiver.address() as AddressInfo;
    const pictures = await fill(cluster, `http://127.0.0.1:${port}/hook`);
    browser = await openBrowser(chromium.program);
    const { page } = browser;
    await signIn(page, cluster);
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      for (const picture of pictures) {
        await page.setViewportSize(SHOWN);
        await open(page, cluster.url, picture);
        if (DOCUMENTED.get(picture.name) === theme) {
          await page.screenshot({ path: join(documented, `console-${picture.name}.png`) });
        }
        if (everything === undefined) continue;
        await page.screenshot({ path: join(everything, `${picture.name}-${theme}-wide.png`) });
        await page.setViewportSize(NARROW);
        await open(page, cluster.url, picture);
        const path = join(everything, `${picture.name}-${theme}-narrow.png`);
        await page.screenshot({ path, fullPage: true });
      }
    }
    expect(browser.problems).toEqual([]);
  } finally {
    await browser?.close();
    await cluster.stop();
    receiver.closeAllConnections();
    receiver.close();
  }
});

/** Jobs with a lost worker, a sweep, tokens and webhooks; returns what there is to see of them. */
async function fill(cluster: ProcessCluster, hookUrl: string): Promise<readonly Picture[]> {
  const { client } = cluster;
  await client.createToken({ name: 'ci', role: 'submitter', limits: { openJobs: 20 } });
  await client.createToken({ name: 'anna', role: 'admin', expiresInMs: null });
  await client.createToken({
    name: 'dashboard',
    role: 'viewer',
    limits: { requestsPerSecond: 20 },
  });
  await client.createWebhook({ name: 'chat', url: 'http://127.0.0.1:9/hook' });
  await client.createWebhook({
    name: 'monitor',
    url: hookUrl,
    states: ['running', 'succeeded', 'failed'],
  });

  const dataSet = await addGlyphs(client, 1_600, 320);
  const specOf = (name: string, changes: Partial<JobSpecInput> = {}): JobSpecInput =>
    smallJob(dataSet, {
      name,
      training: { epochs: 4, learningRate: 0.1, warmupSteps: 10 },
      workers: { min: 1, max: 2 },
      ...changes,
    });
  const baseline = await client.submit(
    specOf('baseline', {
      training: { epochs: 6, learningRate: 0.1, warmupSteps: 10 },
      statistics: { everySteps: 2 },
    }),
  );
  const watch = new JobWatch(client, baseline.id);
  await watch.step(STEPS_BEFORE_LOSS);
  const [, lost] = (await client.job(baseline.id)).workers;
  await cluster.killWorker(lost!);
  await watch.generation(2);
  await cluster.addWorker();
  watch.close();
  await waitForJob(client, baseline.id);

  const slow = await client.submit(
    specOf('slow-start', { training: { epochs: 4, learningRate: 0.02, warmupSteps: 50 } }),
  );
  await waitForJob(client, slow.id);
  const sweep = await client.submitSweep({
    apiVersion: 'skipring/v1',
    name: 'rates',
    job: { ...withoutName(specOf('trial')), training: { epochs: 2, warmupSteps: 10 } },
    parameters: {
      'training.learningRate': { values: [0.02, 0.1] },
      'training.weightDecay': { values: [0, 0.0005] },
    },
    strategy: { kind: 'grid' },
    parallel: 1,
  });
  const trials = await until(
    'two trials of the sweep have ended',
    async () => {
      const found = await client.sweep(sweep.id);
      return found.trials.filter(({ score }) => score !== null).length >= 2 ? found.trials : null;
    },
    240_000,
  );
  const waiting = await client.submit(specOf('large', { workers: { min: 4, max: 4 } }));
  const ended = trials.flatMap(({ jobId, score }) => (score === null ? [] : [jobId!]));
  const compared = [baseline.id, slow.id, ...ended].join(',');
  return [
    { name: 'jobs', path: '/jobs', whenSeen: 'table.jobs' },
    { name: 'job', path: `/jobs/${baseline.id}`, whenSeen: PLOT },
    { name: 'layers', path: `/jobs/${baseline.id}`, whenSeen: 'canvas.heat', at: '.ranks' },
    { name: 'evaluation', path: `/jobs/${baseline.id}/evaluation`, whenSeen: 'img.picture' },
    { name: 'events', path: `/jobs/${baseline.id}/events`, whenSeen: 'table.events' },
    { name: 'ledger', path: `/jobs/${baseline.id}/ledger`, whenSeen: 'table.cards' },
    { name: 'waiting', path: `/jobs/${waiting.id}`, whenSeen: '.tabs' },
    { name: 'compare', path: `/compare?jobs=${compared}`, whenSeen: PLOT },
    { name: 'sweeps', path: '/sweeps', whenSeen: 'table.cards' },
    { name: 'sweep', path: `/sweeps/${sweep.id}`, whenSeen: 'table.trials' },
    { name: 'new-sweep', path: `/sweeps/new?from=${slow.id}`, whenSeen: '.parameter' },
    { name: 'submit', path: `/submit?from=${slow.id}`, whenSeen: 'form.submit' },
    { name: 'workers', path: '/workers', whenSeen: 'table.cards' },
    { name: 'data-set', path: `/data-sets/${dataSet}`, whenSeen: 'img.picture' },
    { name: 'tokens', path: '/tokens', whenSeen: 'table.cards', unfolded: '.card > summary' },
    { name: 'audit', path: '/audit', whenSeen: 'table.cards' },
    { name: 'webhooks', path: '/webhooks', whenSeen: 'table.cards' },
    { name: 'webhook', path: '/webhooks/monitor', whenSeen: 'table.cards' },
  ];
}

const PLOT = `.plot[data-points]`;

function withoutName(spec: JobSpecInput): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(spec).filter(([name]) => name !== 'name' && name !== 'apiVersion'),
  );
}

async function signIn(page: Page, cluster: ProcessCluster): Promise<void> {
  await page.goto(cluster.url);
  await page.getByLabel('API token').fill(cluster.token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
}

async function open(page: Page, url: string, picture: Picture): Promise<void> {
  const { path, whenSeen, at, unfolded } = picture;
  await page.goto(url + path);
  await page.locator(whenSeen).first().waitFor();
  if (whenSeen === PLOT) {
    await untilTrue(
      page,
      `Number(document.querySelector('.plot').dataset.points) > ${NUM_DRAWN_STEPS}`,
    );
  }
  await untilTrue(page, `[...document.images].every(({ complete }) => complete)`);
  if (unfolded !== undefined) await page.locator(unfolded).first().click();
  if (at !== undefined) await page.locator(at).first().scrollIntoViewIfNeeded();
  // Pages that are read in parts are whole a moment later.
  await page.waitForTimeout(500);
}
