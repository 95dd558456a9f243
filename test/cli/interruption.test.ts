import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliHome } from '../support/cli.js';

let home: CliHome;
beforeEach(async () => {
  home = await CliHome.make();
});
afterEach(() => home.remove());

/** What a cluster leaves for the next one, and nothing else. */
const KEPT = ['checkpoints', 'data-sets', 'exports', 'logs', 'redis'];

async function expectNothingLeft(): Promise<void> {
  await home.nothingRuns();
  for (const name of await home.dataFiles()) expect(KEPT).toContain(name);
  expect(await readdir(home.temporaryDirectory)).toEqual([]);
  expect((await readdir(home.dataDirectory, { recursive: true })).join('\n')).not.toMatch(
    /\.(tmp|partial|lock|pid|sock)\b|\.tmp-/,
  );
}

/** Starts the demo, and presses Ctrl-C when it says this. */
async function interruptDemo(text: string): Promise<void> {
  const demo = home.start(['demo']);
  await demo.says(text);
  demo.signal('SIGINT');
  const { code, stderr, stdout } = await demo.result();
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: expect.stringContaining('interrupted') as string,
  });
  expect(stderr).not.toContain('the job goes on');
  expect(stdout).toBe('');
  await expectNothingLeft();
}

describe('Ctrl-C', () => {
  it.each([
    ['Redis starts', 'starting Redis'],
    ['the coordinator starts', 'starting the coordinator'],
    ['the workers start', 'starting 2 workers'],
    ['data is prepared', 'preparing data set'],
  ])('while %s leaves nothing of the demo', async (_moment, text) => {
    await interruptDemo(text);
  });

  it('while the job trains leaves nothing, also for the next cluster to go on with', async () => {
    await interruptDemo('epoch 1/5 step');
    const up = home.start(['up', '--workers', '0', '--port', '0']);
    await up.says('Skipring is up');
    const { stdout } = await home.run(['list', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'demo-glyphs', state: 'cancelled' }]);
  });

  it('ends `up` with success, and a second one ends at once what does not stop', async () => {
    const first = home.start(['up', '--workers', '1', '--port', '0']);
    await first.says('Skipring is up');
    first.signal('SIGINT');
    expect((await first.result()).code).toBe(0);
    await expectNothingLeft();

    const second = home.start(['up', '--workers', '1', '--port', '0']);
    await second.says('Skipring is up');
    // None of them can react to SIGTERM now.
    for (const pid of await home.processes()) {
      if (pid !== second.process.pid) process.kill(pid, 'SIGSTOP');
    }
    second.signal('SIGINT');
    await second.says('Ctrl-C again');
    await pause(600); // two presses, not one that arrives twice
    second.signal('SIGINT');
    expect((await second.result()).code).toBe(130);
    await expectNothingLeft();
  });
});

describe('SIGKILL of the launcher', () => {
  it('leaves no process, and the next cluster takes over its directory', async () => {
    const demo = home.start(['demo']);
    await demo.says('epoch 1/5 step');
    demo.signal('SIGKILL');
    await demo.result();
    await home.nothingRuns();

    const up = home.start(['up', '--workers', '0', '--port', '0']);
    await up.says('Skipring is up');
    const list = await home.run(['list', '-o', 'json']);
    expect(JSON.parse(list.stdout)).toMatchObject([{ name: 'demo-glyphs' }]);
    up.signal('SIGTERM');
    expect((await up.result()).code).toBe(0);
    await expectNothingLeft();
  });
});
