import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { CHROMIUM_FLAGS } from '../support/chromium.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const WIDE = { width: 1_280, height: 900 };
export const NARROW = { width: 360, height: 740 };
/** What a page may take on a machine that has much else to do. */
export const PAGE_TIMEOUT_MS = 120_000;

/** WCAG 2.2 A and AA, and what is good practice besides. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface TestBrowser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of scripts, and everything that the content security policy refused. */
  readonly problems: string[];
  readonly close: () => Promise<void>;
}

/** A browser with a user directory of its own, on an empty page. */
export async function openBrowser(program: string): Promise<TestBrowser> {
  const directory = await mkdtemp(join(tmpdir(), 'skipring-chromium-'));
  const context = await chromium.launchPersistentContext(directory, {
    executablePath: pathOf(program),
    args: CHROMIUM_FLAGS,
    viewport: WIDE,
    acceptDownloads: true,
  });
  context.setDefaultTimeout(PAGE_TIMEOUT_MS);
  const page = context.pages()[0] ?? (await context.newPage());
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) problems.push(message.text());
  });
  return {
    context,
    page,
    problems,
    async close() {
      await context.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Fails with every rule that the page breaks, and where. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  // As text: it runs in the page, whose types are not those of Node.js.
  const violations = await page.evaluate<unknown[]>(`axe
    .run({ runOnly: { type: 'tag', values: ${JSON.stringify(RULES)} } })
    .then(({ violations }) => violations.map(({ id, nodes }) => ({
      rule: id,
      where: nodes.slice(0, 5).map(({ html, failureSummary }) => html + ' ' + failureSummary),
    })))`);
  expect(violations, `${page.url()} breaks rules of accessibility`).toEqual([]);
}

/**
 * Waits until a JavaScript expression is true in the page. It is asked again and again from outside:
 * the page's policy lets no text be evaluated inside.
 */
export async function untilTrue(page: Page, expression: string): Promise<void> {
  const deadlineMs = Date.now() + PAGE_TIMEOUT_MS;
  while (!(await page.evaluate<boolean>(expression))) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${PAGE_TIMEOUT_MS} ms: ${expression}`);
    await page.waitForTimeout(50);
  }
}

/** Fails when the page is wider than the window: it would scroll sideways. */
export async function expectFits(page: Page): Promise<void> {
  const wider = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(wider, `pixels that ${page.url()} is wider than the window`).toBe(0);
}

function pathOf(program: string): string {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
  return stdout.trim();
}
