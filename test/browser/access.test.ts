import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SkipringClient, verifyWebhook } from '@skipring/client';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtConsole } from '../support/built-console.js';
import { ensureChromium } from '../support/chromium.js';
import {
  startCoordinator,
  tinyGlyphs,
  waitingJob,
  type TestCoordinator,
} from '../support/coordinator.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
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

const API_TOKEN = 'the-token-of-the-configuration';
const DAY_MS = 86_400_000;
/** Of the audit log, and more entries than one has. */
const PAGE = 100;
const NUM_REFUSED = 120;

interface Arrival {
  readonly signature: string;
  readonly body: string;
}

const chromium = ensureChromium();
const why = 'missing' in chromium ? `: ${chromium.missing}` : '';
let redis: TestRedis;
let coordinator: TestCoordinator;
let root: SkipringClient;
let browser: TestBrowser;
let page: Page;
/** Takes deliveries of webhooks, and answers the next of them with `answer`. */
let receiver: Server;
let receiverUrl: string;
let answer = 204;
const arrivals: Arrival[] = [];

describe.skipIf('missing' in chromium)(`tokens, audit and webhooks in Chromium${why}`, () => {
  beforeAll(async () => {
    if ('missing' in chromium) return;
    receiver = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        arrivals.push({ signature: String(request.headers['skipring-signature']), body });
        response.writeHead(answer).end();
      });
    });
    await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
    receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    redis = await startTestRedis();
    coordinator = await startCoordinator(redis.url, {
      apiToken: API_TOKEN,
      webhooksPrivate: true,
      consoleDirectory: builtConsole(),
    });
    root = as(API_TOKEN);
    await root.registerDataSet(tinyGlyphs);
    await until('the data set is ready', async () =>
      (await root.dataSet(tinyGlyphs.name)).state === 'ready' ? true : null,
    );
    browser = await openBrowser(chromium.program);
    ({ page } = browser);
    await signIn(API_TOKEN);
  });

  afterAll(async () => {
    await browser?.close();
    await coordinator?.close();
    await redis?.stop();
    receiver?.closeAllConnections();
    receiver?.close();
  });

  it('makes a token with role, expiry and limits, and shows its secret this once', async () => {
    await page.getByRole('link', { name: 'Tokens' }).click();
    await page.getByText('No tokens yet').waitFor();
    await page.getByText('Create a token').click();
    await page.getByLabel('Name').fill('Not A Name');
    await page.getByText('expected lower case letters').waitFor();
    await page.getByLabel('Name').fill('ci');
    await page.getByLabel('Role').selectOption('submitter');
    await page.getByLabel('Expires').selectOption('in 7 days');
    await page.getByText('Limits', { exact: true }).click();
    await page.getByLabel('Open jobs').fill('many');
    await page.getByText('expected a number').waitFor();
    await page.getByLabel('Open jobs').fill('2');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Create' }).click();
    const secret = await shownSecret();
    await expectAccessible(page);

    const { name, role, limits, expiresAt } = await as(secret).whoAmI();
    expect({ name, role }).toEqual({ name: 'ci', role: 'submitter' });
    expect(limits).toMatchObject({ openJobs: 2, workers: null });
    expect(Math.round((Date.parse(expiresAt!) - Date.now()) / DAY_MS)).toBe(7);
    await row('ci').getByText('2 open jobs').waitFor();

    // The form is empty again, so that a second press makes no second token.
    expect(await page.getByLabel('Name').inputValue()).toBe('');
    await page.reload();
    await row('ci').getByText('in 6 d').waitFor();
    expect(await page.getByLabel('Secret', { exact: true }).count()).toBe(0);
    expect(await page.content()).not.toContain(secret);
  });

  it('names what is wrong with a token that cannot be made', async () => {
    await page.getByText('Create a token').click();
    await page.getByLabel('Name').fill('ci');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('alert').getByText('there is a token ci already').waitFor();
    await expectAccessible(page);
  });

  it('rotates a token, the old secret going on for a while or not, and revokes it', async () => {
    await rotate('ci');
    const first = await shownSecret();
    await page.getByLabel('When rotated').selectOption('goes on for 1 hour');
    await rotate('ci');
    const second = await shownSecret(first);
    expect((await as(first).whoAmI()).name).toBe('ci');
    expect((await as(second).whoAmI()).name).toBe('ci');
    await page.getByRole('button', { name: 'I have stored it' }).click();
    await page.getByLabel('Secret', { exact: true }).waitFor({ state: 'detached' });

    await page.getByLabel('When rotated').selectOption('ends at once');
    await rotate('ci');
    const third = await shownSecret();
    await expect(as(second).whoAmI()).rejects.toMatchObject({ status: 401 });
    await row('ci').getByRole('button', { name: 'Revoke' }).click();
    await row('ci').getByRole('button', { name: 'Revoke ci?' }).click();
    await row('ci').waitFor({ state: 'detached' });
    await expect(as(third).whoAmI()).rejects.toMatchObject({ status: 401 });
  });

  it('shows the audit log a page at a time, and what one token did', async () => {
    const { token } = await root.createToken({ name: 'busy', role: 'submitter' });
    const busy = as(token);
    for (let i = 0; i < NUM_REFUSED; i += 1) {
      await expect(busy.cancel('job-unknown')).rejects.toMatchObject({ status: 404 });
    }
    await page.getByRole('link', { name: 'Audit' }).click();
    await rowsAre(PAGE);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByText('DELETE /api/v1/tokens/ci').waitFor();
    await page.getByLabel('Of token').fill('root');
    await untilTrue(page, `!document.body.textContent.includes('job-unknown')`);
    await page.getByText('DELETE /api/v1/tokens/ci').waitFor();
    expect(await page.getByText('Page 2').count()).toBe(0);
    await page.getByLabel('Of token').fill('nobody');
    await page.getByText('Nothing of “nobody”').waitFor();
    await expectAccessible(page);
  });

  it('adds a webhook, whose deliveries the secret signs, and shows what became of each', async () => {
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await page.getByText('No webhooks yet').waitFor();
    await page.getByText('Add a webhook').click();
    await page.getByLabel('Name').fill('chat');
    await page.getByLabel('Url').fill('ftp://example.org/');
    await page.getByText('begins with http:// or https://').first().waitFor();
    await page.getByLabel('Url').fill(receiverUrl);
    await page.getByLabel('succeeded').uncheck();
    await page.getByLabel('failed').uncheck();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const secret = await shownSecret();
    await expectAccessible(page);
    expect(await root.webhooks()).toMatchObject([{ name: 'chat', states: ['cancelled'] }]);

    const id = await cancelOne();
    const [arrival] = await until('a delivery', () => (arrivals.length > 0 ? arrivals : null));
    const delivery = await verifyWebhook({ secret, ...arrival! });
    expect(delivery).toMatchObject({ jobId: id, state: 'cancelled' });
    await page.getByRole('link', { name: 'chat' }).click();
    await page.locator('.badge-delivered').waitFor();
    await page.getByText('HTTP 204').waitFor();
    answer = 500;
    await cancelOne();
    await page.locator('.badge-failed').first().waitFor();
    await page.getByText('status 500').first().waitFor();
    await expectAccessible(page);
  });

  it('fits 360 pixels, and is as readable in the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(NARROW);
    for (const path of ['/tokens', '/audit', '/webhooks', '/webhooks/chat']) {
      await page.goto(coordinator.url + path);
      await page.locator('table.cards').waitFor();
      await expectFits(page);
      await expectAccessible(page);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(WIDE);
  });

  it('changes the URL and the states of a webhook', async () => {
    const moved = `${receiverUrl}/${'moved/'.repeat(20)}`;
    await page.goto(`${coordinator.url}/webhooks/chat`);
    await page.locator('.sub').getByText('told when a job is cancelled').waitFor();
    await page.getByText('Change URL or states').click();
    await page.getByLabel('cancelled').uncheck();
    await page.getByText('expected').waitFor();
    await page.getByLabel('paused').check();
    await page.getByLabel('Url').fill(moved);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.locator('.sub').getByText('told when a job is paused').waitFor();
    expect(await root.webhooks()).toMatchObject([
      { url: moved, states: ['paused'], enabled: true },
    ]);
    await page.setViewportSize(NARROW);
    await expectFits(page);
    await page.setViewportSize(WIDE);
    await root.changeWebhook('chat', { url: receiverUrl, states: ['cancelled'] });
  });

  it('tests a webhook, and disables and enables it', async () => {
    answer = 204;
    await page.goto(`${coordinator.url}/webhooks/chat`);
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText(/^delivered in .*: HTTP 204$/).waitFor();
    await page.goto(`${coordinator.url}/webhooks`);
    await row('chat').getByRole('button', { name: 'Disable' }).click();
    await row('chat').getByText('disabled by root').waitFor();
    expect(await root.webhooks()).toMatchObject([{ name: 'chat', enabled: false }]);
    await row('chat').getByRole('button', { name: 'Enable' }).click();
    await row('chat').getByRole('button', { name: 'Disable' }).waitFor();
    expect(await root.webhooks()).toMatchObject([{ name: 'chat', enabled: true }]);
  });

  it('rotates the secret of a webhook, and deletes it', async () => {
    await page.goto(`${coordinator.url}/webhooks`);
    await rotate('chat');
    expect(await shownSecret()).toMatch(/^whsec_/);
    await row('chat').getByRole('button', { name: 'Delete' }).click();
    await row('chat').getByRole('button', { name: 'Delete chat?' }).click();
    await page.getByText('No webhooks yet').waitFor();
    expect(await root.webhooks()).toEqual([]);
  });

  it('offers a role what it may do, and tells it at other addresses what that needs', async () => {
    const { id } = await root.submit(waitingJob());
    const submitter = await root.createToken({ name: 'person', role: 'submitter' });
    await signIn(submitter.token);
    expect(await pages()).toContain('Webhooks');
    expect(await pages()).not.toContain('Tokens');
    await page.goto(`${coordinator.url}/tokens`);
    await page.getByText('This page needs the role admin').waitFor();
    await expectAccessible(page);
    // The data set is another's: it may be used, and not deleted.
    await page.goto(`${coordinator.url}/data-sets/${tinyGlyphs.name}`);
    await page.getByRole('heading', { name: 'Samples' }).waitFor();
    expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    // The job is, too: it may be cloned, and not changed.
    await page.goto(`${coordinator.url}/jobs/${id}`);
    await page.getByRole('link', { name: 'Clone and edit' }).waitFor();
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);

    const viewer = await root.createToken({ name: 'guest', role: 'viewer' });
    await signIn(viewer.token);
    expect(await pages()).toEqual(['Jobs', 'Sweeps', 'Compare', 'Workers', 'Data sets']);
    expect(await page.getByRole('link', { name: /^Submit/ }).count()).toBe(0);
    for (const [path, role] of [
      ['/audit', 'admin'],
      ['/webhooks', 'submitter'],
      ['/submit', 'submitter'],
      ['/sweeps/new', 'submitter'],
    ] as const) {
      await page.goto(coordinator.url + path);
      await page.getByText(`This page needs the role ${role}`).waitFor();
    }
    expect(browser.problems).toEqual([]);
  });
});

function as(token: string): SkipringClient {
  return new SkipringClient({ url: coordinator.url, token, retries: 0 });
}

/** As one who opens the console in a new tab. */
async function signIn(token: string): Promise<void> {
  await page.goto(coordinator.url);
  await page.evaluate('sessionStorage.clear()');
  await page.goto(coordinator.url);
  await page.getByLabel('API token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
}

function pages(): Promise<string[]> {
  return page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents();
}

function row(name: string): ReturnType<Page['locator']> {
  return page.locator('tbody tr', {
    has: page.locator('th', { hasText: new RegExp(`^${name}$`) }),
  });
}

async function rotate(name: string): Promise<void> {
  await row(name).getByRole('button', { name: 'Rotate', exact: true }).click();
  await row(name)
    .getByRole('button', { name: `Rotate ${name}?` })
    .click();
}

/** The secret that the page shows, once it is another than the one before. */
async function shownSecret(before = ''): Promise<string> {
  const field = page.getByLabel('Secret', { exact: true });
  return until('a new secret is shown', async () => {
    const secret = await field.inputValue();
    return secret === before ? null : secret;
  });
}

async function rowsAre(number: number): Promise<void> {
  await untilTrue(page, `document.querySelectorAll('table.cards tbody tr').length === ${number}`);
}

async function cancelOne(): Promise<string> {
  const { id } = await root.submit(waitingJob());
  await root.cancel(id);
  return id;
}
