import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { JobSpecInput } from '@skipring/protocol';
import type { Page } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureChromium } from '../support/chromium.js';
import { addGlyphs, smallJob, startCluster, type TestCluster } from '../support/cluster.js';
import { openBrowser, untilTrue, type TestBrowser } from './browser.js';

const chromium = ensureChromium();
const why = 'missing' in chromium ? `: ${chromium.missing}` : '';
let site: Server;
let origin: string;
let cluster: TestCluster;
let browser: TestBrowser;
let page: Page;
let spec: JobSpecInput;

describe.skipIf('missing' in chromium)(`the client library in Chromium${why}`, () => {
  beforeAll(async () => {
    if ('missing' in chromium) return;
    const script = await bundle();
    site = createServer((request, response) => {
      const isScript = request.url === '/page.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : '<script type="module" src="/page.js"></script>');
    });
    await new Promise<void>((listening) => site.listen(0, '127.0.0.1', listening));
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    cluster = await startCluster(1, [], { SKIPRING_CORS_ORIGINS: origin });
    spec = smallJob(await addGlyphs(cluster.client, 640, 64), { name: 'from-a-page' });
    browser = await openBrowser(chromium.program);
    ({ page } = browser);
    await page.goto(origin);
    await untilTrue(page, `typeof train === 'function'`);
  });

  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
    site?.close();
  });

  it('submits once by a key, follows through a lost connection to the end, and reads all', async () => {
    const training = page.evaluate<{
      ids: string[];
      eventIds: string[];
      steps: number[];
      numThinned: number;
      evaluations: unknown[];
      sha256: string;
    }>(call('train', { ...spec, training: { epochs: 8, learningRate: 0.05 } }, 'one-key'));
    await untilTrue(page, 'globalThis.numSeen > 5');
    await browser.context.setOffline(true);
    await page.waitForTimeout(500);
    await browser.context.setOffline(false);

    const { ids, eventIds, steps, numThinned, evaluations, sha256 } = await training;
    const [id] = ids as [string];
    expect(ids).toEqual([id, id]);
    const { items } = await cluster.client.jobs();
    expect(items.map((job) => job.id)).toEqual([id]);
    const stored: string[] = [];
    for await (const event of cluster.client.events(id)) stored.push(event.id);
    expect(eventIds).toEqual(stored);
    expect(steps).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    expect(numThinned).toBeLessThan(steps.length);
    expect(evaluations).toEqual(await cluster.client.evaluations(id));
    expect(sha256).toBe((await cluster.client.job(id)).modelSha256);
  });

  it('tells refusals as errors with a code and the fields', async () => {
    const { endpoint } = cluster.cluster;
    const wrong = { ...spec, training: { epochs: 0 } };
    expect(await page.evaluate(call('failureOf', wrong))).toEqual({
      name: 'ApiError',
      code: 'REQUEST_INVALID',
      fields: ['/training/epochs'],
    });
    const forged = { ...endpoint, token: 'not-the-token' };
    expect(await page.evaluate(call('failureOf', spec, undefined, forged))).toMatchObject({
      name: 'ApiError',
      code: 'UNAUTHORIZED',
    });
  });

  it('gets no answer on a page whose origin the coordinator does not name', async () => {
    await page.goto(origin.replace('127.0.0.1', 'localhost'));
    await untilTrue(page, `typeof failureOf === 'function'`);
    expect(await page.evaluate(call('failureOf', spec))).toMatchObject({
      name: 'ConnectionError',
      code: 'CONNECTION',
    });
    expect((await cluster.client.jobs()).items).toHaveLength(1);
  });
});

/** A call of one of the page's functions, as text: it runs where other types are known. */
function call(
  name: 'train' | 'failureOf',
  given: unknown,
  key?: string,
  { url, token } = cluster.cluster.endpoint,
): string {
  const texts = [{ url, token }, given, key].map((value) => JSON.stringify(value) ?? 'undefined');
  return `${name}(${texts.join(', ')})`;
}

/** The page's script with the package as it is built, as a user's bundler would make it. */
async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('client-page.ts', import.meta.url));
  const [made] = (await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, lib: { entry, formats: ['es'] }, minify: false },
  })) as Rollup.RollupOutput[];
  return made!.output[0].code;
}
