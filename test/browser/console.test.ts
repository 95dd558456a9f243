import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { DataSetRegistrationInput } from '@skipring/protocol';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureChromium } from '../support/chromium.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { until } from '../support/until.js';
import {
  expectAccessible,
  expectFits,
  NARROW,
  openBrowser,
  untilTrue,
  WIDE,
  type TestBrowser,
} from './browser.js';

const dataSet = {
  name: 'small-glyphs',
  format: 'glyphs',
  trainSamples: 640,
  testSamples: 96,
} as const satisfies DataSetRegistrationInput;

/** Epochs of a job that no machine ends while it is looked at. */
const ENDLESS = '5000';
/** Epochs of a job that goes on for some seconds, so that it can be cancelled. */
const LONG = '24';

const chromium = ensureChromium();
const why = 'missing' in chromium ? `: ${chromium.missing}` : '';
let cluster: TestCluster;
let browser: TestBrowser;
let page: Page;
let url: string;
/** Ids of the jobs that were submitted, in order. */
const jobs: string[] = [];

describe.skipIf('missing' in chromium)(`the console in Chromium${why}`, () => {
  beforeAll(async () => {
    if ('missing' in chromium) return;
    cluster = await startCluster(2);
    ({ url } = cluster.cluster.endpoint);
    await cluster.client.registerDataSet(dataSet);
    await until('the data set is ready', async () =>
      (await cluster.client.dataSet(dataSet.name)).state === 'ready' ? true : null,
    );
    browser = await openBrowser(chromium.program);
    ({ page } = browser);
  });

  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  it('asks for a token, refuses a wrong one, and keeps the right one out of addresses', async () => {
    await page.goto(url);
    await page.getByLabel('API token').fill('not-the-token-of-this-cluster');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('does not take this token').waitFor();
    await expectAccessible(page);
    await page.getByLabel('API token').fill(cluster.cluster.endpoint.token ?? '');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    await page.getByText('No jobs yet').waitFor();
    expect(page.url()).not.toContain(cluster.cluster.endpoint.token);
    await expectAccessible(page);
  });

  it('shows a data set with its samples and classes', async () => {
    await page.getByRole('link', { name: 'Data sets' }).click();
    await page.getByRole('link', { name: dataSet.name }).click();
    await page.getByText('of 640').waitFor();
    await allPicturesShown(page, 60);
    await page.getByRole('combobox', { name: 'Class' }).selectOption({ index: 3 });
    const { classes } = (await cluster.client.dataSet(dataSet.name)).manifest!;
    await page.locator('.pictures li').first().getByText(classes[2]!, { exact: true }).waitFor();
    await expectAccessible(page);
  });

  it('submits a job from the form, and says at the field what is wrong with it', async () => {
    await page.getByRole('link', { name: /^Submit/ }).click();
    await page.getByLabel('Name', { exact: false }).first().fill('Not A Name');
    await page.getByText('expected lower case letters').first().waitFor();
    await page.getByLabel('Data set').fill('no-such-set');
    await page.getByLabel(/^Name/).fill('endless');
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    // Only the coordinator knows which data sets there are.
    await page.locator('.faulty', { hasText: 'Data set' }).waitFor();
    await expectAccessible(page);
    await page.getByLabel('Data set').fill(dataSet.name);
    await page.getByLabel('Epochs').first().fill(ENDLESS);
    await openGroup(page, 'Lanes');
    await page.getByLabel('Count').fill('4');
    await page.getByLabel('Size').fill('16');
    await openGroup(page, 'Statistics');
    await page.locator('#field-statistics-everySteps').fill('1000');
    await submitForm(page);
  });

  it('draws its curves live, through a reload and a lost connection, until it is cancelled', async () => {
    await page.locator('.live-live').waitFor();
    await pointsAbove(page, 2);
    await page.reload();
    await pointsAbove(page, 6);
    await browser.context.setOffline(true);
    await page.getByText('does not answer').first().waitFor();
    await browser.context.setOffline(false);
    await page.locator('.live-live').waitFor();
    await pointsAbove(page, 20);
    await expectAccessible(page);
    await cancel(page);
  });

  it('follows a job from its clone to its end, with ranks, evaluation and pictures', async () => {
    await page.getByRole('link', { name: 'Clone and edit' }).click();
    await page.getByLabel(/^Name/).fill('from-the-form');
    await page.getByLabel('Epochs').first().fill('8');
    await openGroup(page, 'Statistics');
    await page.locator('#field-statistics-everySteps').fill('5');
    jobs.push(await submitForm(page));
    await page.locator('.badge-succeeded').waitFor({ timeout: 120_000 });
    await pointsAbove(page, 79);
    await page.getByText('Where a step’s time goes').waitFor();
    await page.locator('.stack').first().waitFor();
    await page.locator('canvas.heat').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Evaluation' }).click();
    await page.getByRole('heading', { name: 'Confusion matrix' }).waitFor();
    await allPicturesShown(page, 24);
    await expectAccessible(page);
    for (const tab of ['Events', 'Log', 'Spec', 'Checkpoints', 'Ledger']) {
      await page.getByRole('link', { name: tab, exact: true }).click();
      await expectAccessible(page);
    }
    await page.getByText('Every sample once an epoch').waitFor();
  });

  it('saves the model, whose SHA-256 is that of the job', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download model' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('from-the-form.safetensors');
    const sha256 = createHash('sha256')
      .update(await readFile(await download.path()))
      .digest('hex');
    expect(sha256).toBe((await cluster.client.job(jobs[0]!)).modelSha256);
  });

  it('cancels a job and resumes it', async () => {
    await page.getByRole('link', { name: 'Clone and edit' }).click();
    await page.getByLabel(/^Name/).fill('cloned');
    await page.getByLabel('Learning rate').fill('0.02');
    await page.getByLabel('Epochs').first().fill(LONG);
    jobs.push(await submitForm(page));
    await pointsAbove(page, 2);
    await cancel(page);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('.badge-succeeded').waitFor({ timeout: 120_000 });
    const job = await cluster.client.job(jobs[1]!);
    expect(job.spec.training.learningRate).toBe(0.02);
  });

  it('sweeps over a field of a job, to the end of its trials', async () => {
    await page.goto(`${url}/jobs/${jobs[0]}`);
    await page.getByRole('link', { name: 'Sweep', exact: true }).click();
    expect(await page.getByLabel(/^Name/).inputValue()).toBe('from-the-form-sweep');
    await page.getByLabel('Values').fill('0.05, -1');
    await page.getByText('expected more than 0, not -1').first().waitFor();
    await expectAccessible(page);
    await page.getByLabel('Values').fill('0.05, 0.02');
    await page.getByText('It begins with 2 jobs.').waitFor();
    await page.getByLabel('Epochs').first().fill('1');
    await page.getByRole('button', { name: 'Add a parameter' }).click();
    await page.getByRole('group', { name: 'Parameter model.family' }).waitFor();
    await expectAccessible(page);
    const added = page.getByRole('group', { name: 'Parameter model.family' });
    await added.getByLabel('Field').selectOption('training.weightDecay');
    const decay = page.getByRole('group', { name: 'Parameter training.weightDecay' });
    await decay.getByLabel('From').selectOption('a range');
    await decay.getByLabel('Min').fill('0');
    await decay.getByLabel('Max').fill('0.1');
    await page.getByText('only parameters with values in a grid').first().waitFor();
    await decay.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('It begins with 2 jobs.').waitFor();

    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.waitForURL(/\/sweeps\/sweep-/);
    await page.locator('h1 .badge-done').waitFor();
    expect(await page.locator('table.trials tbody .badge-succeeded').count()).toBe(2);
    await page.locator('.badge-best').waitFor();
    const [sweep] = await cluster.client.sweeps();
    expect(sweep?.trials.map(({ parameters }) => parameters)).toEqual([
      { 'training.learningRate': 0.05 },
      { 'training.learningRate': 0.02 },
    ]);
    expect(sweep?.spec.job).toMatchObject({ training: { epochs: 1 }, lanes: { count: 4 } });
  });

  it('lays the curves of two runs over each other', async () => {
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByLabel('Compare from-the-form', { exact: true }).check();
    await page.getByLabel('Compare cloned', { exact: true }).check();
    await page.getByRole('link', { name: 'Compare 2' }).click();
    await page.getByText('training.learningRate').waitFor();
    await pointsAbove(page, 79);
    await page.getByLabel('Over').selectOption('time');
    await page.getByLabel('log y').check();
    await pointsAbove(page, 79);
    await expectAccessible(page);
  });

  it('drains a worker', async () => {
    await page.getByRole('link', { name: 'Workers' }).click();
    await page.getByText('local-2').waitFor();
    await expectAccessible(page);
    const row = page.getByRole('row', { name: /local-2/ });
    await row.getByRole('button', { name: 'Drain' }).click();
    await row.getByRole('button', { name: 'Drain local-2?' }).click();
    await row.waitFor({ state: 'detached' });
    expect((await cluster.client.workers()).map(({ id }) => id)).toEqual(['local-1']);
  });

  it('fits 360 pixels, and is as readable in the dark', async () => {
    const paths = [
      '/jobs',
      `/jobs/${jobs[0]}`,
      `/jobs/${jobs[0]}/evaluation`,
      ...['events', 'log', 'spec', 'checkpoints', 'ledger'].map((tab) => `/jobs/${jobs[0]}/${tab}`),
      `/compare?jobs=${jobs.join(',')}`,
      '/workers',
      '/data-sets',
      `/data-sets/${dataSet.name}`,
      '/submit',
      '/sweeps/new',
      '/tokens',
      '/audit',
      '/webhooks',
    ];
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const path of paths) {
      await page.setViewportSize(NARROW);
      await page.goto(url + path);
      await page.locator('h1').waitFor();
      await page.waitForLoadState('networkidle');
      await expectFits(page);
      await expectAccessible(page);
    }
    await page.setViewportSize(WIDE);
    await page.getByRole('button', { name: /^Theme is auto/ }).click();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
  });

  it('signs out, and broke no rule of its policy on the way', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API token').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    expect(browser.problems).toEqual([]);
  });
});

async function submitForm(of: Page): Promise<string> {
  await of.getByRole('button', { name: 'Submit', exact: true }).click();
  await of.waitForURL(/\/jobs\/job-/);
  return /job-[0-9a-z]+/.exec(of.url())![0];
}

async function cancel(of: Page): Promise<void> {
  await of.getByRole('button', { name: 'Cancel', exact: true }).click();
  await of.getByRole('button', { name: 'Cancel this job?' }).click();
  await of.locator('.badge-cancelled').waitFor();
}

async function openGroup(of: Page, title: string): Promise<void> {
  const summary = of.locator('summary', { hasText: new RegExp(`^${title}$`) });
  const group = of.locator('details.group', { has: summary }).last();
  if ((await group.getAttribute('open')) === null) await group.locator('summary').first().click();
}

/** Waits until the first chart has more points than this. */
async function pointsAbove(of: Page, number: number): Promise<void> {
  await untilTrue(of, `Number(document.querySelector('.plot')?.dataset.points ?? 0) > ${number}`);
}

async function allPicturesShown(of: Page, number: number): Promise<void> {
  await untilTrue(
    of,
    `[...document.querySelectorAll('img.picture')].filter(
      ({ complete, naturalWidth }) => complete && naturalWidth > 0,
    ).length === ${number}`,
  );
}
