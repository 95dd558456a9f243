import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';

const TIMEOUT_MS = 60_000;
const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('libs/collective/README.md', root), 'utf8');
const [inProcess, overWebSockets] = [...readme.matchAll(/```js\n(.*?)```/gs)].map(
  ([, code]) => code ?? '',
);

/** What a module prints that is run in the repository. */
async function run(code: string | undefined, ...args: string[]): Promise<string> {
  if (code === undefined) throw new Error('the README has fewer examples');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', code, 'ring.mjs', ...args],
    { cwd: root, timeout: TIMEOUT_MS },
  );
  return stdout;
}

it('the example with ranks in one process prints what the README says', async () => {
  const [, printed] = /```text\n(.*?)```/s.exec(readme) ?? [];
  expect(await run(inProcess)).toBe(printed);
});

it('the example over WebSockets sums and gathers', async () => {
  const ports = [await freePort(), await freePort()];
  const code = overWebSockets?.replace('7601', String(ports[0])).replace('7602', String(ports[1]));
  const printed = await Promise.all(['0', '1'].map((rank) => run(code, rank)));
  expect(printed).toEqual([
    'rank 0: every element is 3\ngathered AB\n',
    'rank 1: every element is 3\n',
  ]);
});
