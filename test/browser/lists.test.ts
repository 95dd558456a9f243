import type { SweepSpecInput } from '@skipring/protocol';
import { closeConnection, connectForCommands, RunStore } from '@skipring/redis';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtConsole } from '../support/built-console.js';
import { ensureChromium } from '../support/chromium.js';
import {
  settleDataSet,
  startCoordinator,
  submit,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import {
  expectAccessible,
  expectFits,
  NARROW,
  openBrowser,
  untilTrue,
  WIDE,
  type TestBrowser,
} from './browser.js';

const NUM_JOBS = 250;
const PAGE = 100;

const { model, data, training, lanes } = waitingJob();
const sweep: SweepSpecInput = {
  apiVersion: 'skipring/v1',
  name: 'rates',
  job: { model, data, training, lanes },
  parameters: {
    'training.learningRate': { values: [0.1, 0.2, 0.3] },
    'training.weightDecay': { values: [0, 0.0001] },
  },
  strategy: { kind: 'grid' },
  parallel: 3,
};

const chromium = ensureChromium();
const why = 'missing' in chromium ? `: ${chromium.missing}` : '';
let redis: TestRedis;
let coordinator: TestCoordinator;
let browser: TestBrowser;
let page: Page;

describe.skipIf('missing' in chromium)(`long lists and sweeps in Chromium${why}`, () => {
  beforeAll(async () => {
    if ('missing' in chromium) return;
    redis = await startTestRedis();
    coordinator = await startCoordinator(redis.url, { consoleDirectory: builtConsole() });
    await settleDataSet(coordinator, tinyGlyphs);
    for (let first = 0; first < NUM_JOBS; first += 50) {
      const names = Array.from({ length: 50 }, (_, i) => `job-${first + i}`);
      await Promise.all(names.map((name) => submit(coordinator, waitingJob({ name }))));
    }
    browser = await openBrowser(chromium.program);
    ({ page } = browser);
  });

  afterAll(async () => {
    await browser?.close();
    await coordinator?.close();
    await redis?.stop();
  });

  it('shows every job, a page at a time, and keeps what was chosen on the way', async () => {
    await page.goto(`${coordinator.url}/jobs`);
    const seen = new Set<string>();
    for (const [number, size] of [
      [1, PAGE],
      [2, PAGE],
      [3, NUM_JOBS - 2 * PAGE],
    ] as const) {
      await page.getByText(`Page ${number}`, { exact: true }).waitFor();
      await untilTrue(page, `document.querySelectorAll('table.jobs tbody tr').length === ${size}`);
      const names = await page.locator('table.jobs tbody th a').allTextContents();
      for (const name of names) seen.add(name);
      await page.getByLabel(`Compare ${names[0]!}`, { exact: true }).check();
      const older = page.getByRole('button', { name: 'Older' });
      expect(await older.isEnabled()).toBe(number < 3);
      if (number < 3) await older.click();
    }
    expect(seen.size).toBe(NUM_JOBS);
    await page.getByRole('link', { name: 'Compare 3' }).waitFor();
    await expectAccessible(page);
    await page.setViewportSize(NARROW);
    await expectFits(page);
    await expectAccessible(page);
    await page.setViewportSize(WIDE);
    await page.getByRole('button', { name: 'Newer' }).click();
    await page.getByText('Page 2', { exact: true }).waitFor();
    // Another state is another list: it begins at its newest job.
    await page.getByLabel('State').selectOption('succeeded');
    await page.getByText('No job is succeeded').waitFor();
  });

  it('shows a sweep, its trials with what they differ in and the best of them', async () => {
    await page.getByRole('link', { name: 'Sweeps' }).click();
    await page.getByText('No sweeps yet').waitFor();
    await expectAccessible(page);
    const answer = await coordinator.send('/sweeps', { json: sweep });
    expect(answer.status).toBe(201);
    await page.getByRole('link', { name: 'rates' }).click();
    await page.getByText('of at most 3').waitFor();
    await untilTrue(page, `document.querySelectorAll('table.trials tbody th a').length === 3`);
    expect(await page.locator('.badge-waits').count()).toBe(3);

    const jobs = await page.locator('table.trials tbody .id').allTextContents();
    await succeed(jobs[0]!, 0.5);
    await succeed(jobs[1]!, 0.75);
    await page.getByText('75.00 %').first().waitFor();
    await page.getByText('50.00 %').waitFor();
    const rows = page.locator('table.trials tbody tr');
    await rows.first().getByText(jobs[1]!).waitFor();
    expect(await rows.first().locator('.badge-best').count()).toBe(1);
    expect(await rows.first().locator('td').last().textContent()).toMatch(/^(0|0.0001)$/);
    await expectAccessible(page);
    await page.setViewportSize(NARROW);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectFits(page);
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(WIDE);
  });

  it('cancels a sweep once that was confirmed, and lists it as cancelled', async () => {
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel this sweep?' }).click();
    await page.locator('h1 .badge-cancelled').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Sweeps' }).click();
    await page.locator('table .badge-cancelled').waitFor();
    await expectAccessible(page);
    await page.setViewportSize(NARROW);
    await expectFits(page);
    await expectAccessible(page);
    expect(browser.problems).toEqual([]);
  });
});

/** Ends a job as if workers had trained it. */
async function succeed(id: string, accuracy: number): Promise<void> {
  const connection = connectForCommands({
    url: redis.url,
    keyPrefix: '',
    onError: () => undefined,
  });
  const store = new RunStore(connection, coordinator.options.keyPrefix);
  const lastEvaluation = {
    step: 1,
    epoch: 0,
    loss: 1,
    accuracy,
    samples: 10,
    confusion: [],
    worst: [],
  };
  await store.change(id, { fields: { state: 'succeeded', reason: 'trained', lastEvaluation } });
  await closeConnection(connection);
}
