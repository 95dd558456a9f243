import type { StepMetrics, SweepSpecInput } from '@skipring/protocol';
import { closeConnection, connectForCommands, RunStore, type NewJobEvent } from '@skipring/redis';
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

  it('says at a job that waits what it waits for', async () => {
    const { id } = await submit(coordinator);
    await page.goto(`${coordinator.url}/jobs`);
    const newest = page.locator('table.jobs tbody tr', { hasText: id });
    await newest.getByText(/^needs 1 worker with 1 thread; 0 connected/).waitFor();
    await page.goto(`${coordinator.url}/jobs/${id}`);
    await page
      .locator('.sub')
      .getByText(/needs 1 worker with 1 thread; 0 connected/)
      .waitFor();
  });

  it('deletes a job that has ended, once that was confirmed in a dialog', async () => {
    const { id } = await submit(coordinator, waitingJob({ name: 'unwanted', delayMs: 3_600_000 }));
    await page.goto(`${coordinator.url}/jobs/${id}`);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel this job?' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete unwanted?' });
    await dialog.waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Keep' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect((await coordinator.send(`/jobs/${id}`)).status).toBe(200);
    await page.setViewportSize(NARROW);
    await page.getByRole('button', { name: 'Delete' }).click();
    await expectFits(page);
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.locator('table.jobs').waitFor();
    await page.setViewportSize(WIDE);
    expect((await coordinator.send(`/jobs/${id}`)).status).toBe(404);
  });

  it('deletes a data set, unless jobs need it: then the dialog says which', async () => {
    await page.goto(`${coordinator.url}/data-sets/tiny`);
    await page.getByRole('button', { name: 'Delete' }).click();
    const inUse = page.getByRole('dialog', { name: 'Delete tiny?' });
    await inUse.getByRole('button', { name: 'Delete' }).click();
    await inUse
      .getByRole('alert')
      .getByText(/^data set tiny is used by job-.* more/)
      .waitFor();
    const [user = ''] = await inUse.getByRole('link').allTextContents();
    expect((await coordinator.send(`/jobs/${user}`)).status).toBe(200);
    await expectAccessible(page);
    await page.setViewportSize(NARROW);
    await expectFits(page);
    await inUse.getByRole('button', { name: 'Keep' }).click();
    await inUse.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Delete' }).click();
    expect(await inUse.getByRole('alert').count()).toBe(0);
    expect((await coordinator.send('/data-sets/tiny')).status).toBe(200);

    await settleDataSet(coordinator, { ...tinyGlyphs, name: 'unwanted' });
    await page.goto(`${coordinator.url}/data-sets/unwanted`);
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete unwanted?' });
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Data sets', exact: true }).waitFor();
    await page.setViewportSize(WIDE);
    await page.getByRole('link', { name: 'tiny' }).waitFor();
    expect(await page.getByRole('link', { name: 'unwanted' }).count()).toBe(0);
    expect((await coordinator.send('/data-sets/unwanted')).status).toBe(404);
  });

  it('marks generations, faults and slow workers on the charts, and lists them in words', async () => {
    const { id } = await submit(coordinator);
    const slow = { workerId: 'w2', rank: 1, host: 'h2', part: 'compute', ratio: 2.5 } as const;
    const fault = { kind: 'kill', rank: 1, step: 1, phase: 'compute' } as const;
    await change(id, [
      generation(1, 0, ['w1', 'w2']),
      { type: 'step', metrics: stepOf(1) },
      { type: 'straggler', state: 'slow', ...slow },
      { type: 'fault', faultId: 'f', state: 'fired', fault, workerId: 'w2' },
      generation(2, 1, ['w1']),
      { type: 'step', metrics: stepOf(2) },
    ]);
    await page.goto(`${coordinator.url}/jobs/${id}`);
    await page.getByText('Generations: 2, faults: 2').waitFor();
    await page.locator('.mark-fault').getByText('fault kill').waitFor();
    await page.locator('.mark-fault').getByText('w2 (rank 1, host h2) is slow').waitFor();
    await page.locator('.mark-generation').getByText('generation 2: 1 workers').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByLabel('Kind').selectOption('straggler');
    await page.locator('tr.level-warn').getByText('2.5 times as long').waitFor();
    expect(await page.locator('table.events tbody tr').count()).toBe(1);
    await expectAccessible(page);
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
  const lastEvaluation = {
    step: 1,
    epoch: 0,
    loss: 1,
    accuracy,
    samples: 10,
    confusion: [],
    worst: [],
  };
  await withStore((store) =>
    store.change(id, { fields: { state: 'succeeded', reason: 'trained', lastEvaluation } }),
  );
}

/** Stores events, as if they had happened. */
async function change(id: string, events: readonly NewJobEvent[]): Promise<void> {
  await withStore(async (store) => {
    for (const event of events) await store.change(id, { event });
  });
}

async function withStore(act: (store: RunStore) => Promise<unknown>): Promise<void> {
  const connection = connectForCommands({
    url: redis.url,
    keyPrefix: '',
    onError: () => undefined,
  });
  await act(new RunStore(connection, coordinator.options.keyPrefix));
  await closeConnection(connection);
}

function generation(number: number, step: number, workers: readonly string[]): NewJobEvent {
  const reason = 'of the test';
  return {
    type: 'generation',
    attempt: 1,
    generation: number,
    workers: [...workers],
    step,
    reason,
  };
}

function stepOf(step: number): StepMetrics {
  return {
    ...{ step, epoch: 0, cursor: step, loss: 1, accuracy: 0.5, learningRate: 0.1 },
    ...{ samples: 8, stepMs: 10 },
  };
}
