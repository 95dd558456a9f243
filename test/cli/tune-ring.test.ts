import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { RingTuning } from '@skipring/collective';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliHome } from '../support/cli.js';
import { until } from '../support/until.js';

let home: CliHome;
beforeAll(async () => {
  home = await CliHome.make();
});
afterAll(() => home.remove());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('tune-ring', () => {
  it('measures ranks of this machine and says what to set', async () => {
    const { code, stdout, stderr } = await home.run(['tune-ring', '--ranks', '3', '--budget', '1']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^all-reduce of int32 over 3 ranks/);
    expect(stdout).toMatch(/^16 KiB +\d+\.\d+ +\d+\.\d+ +(exchange|ring) \d+\.\d\dx$/m);
    expect(stdout).toMatch(/^1 MiB at most +\d+\.\d+ +\d+\.\d+$/m);
    expect(stdout).toMatch(/^ {2}SKIPRING_RING_EXCHANGE_LIMIT_BYTES=\d+/m);
    expect(stdout).toMatch(/^ {2}SKIPRING_RING_SEGMENT_BYTES=\d+/m);
    expect(stderr).toContain('measured 13 of 13 sizes');
    expect(await home.processes()).toEqual([]);
  });

  it('measures between machines: one command on each, and all find the same', async () => {
    const members = `127.0.0.1:${await freePort()},127.0.0.1:${await freePort()}`;
    const runs = [0, 1].map((rank) =>
      home.run(
        ['tune-ring', '--members', members, '--rank', String(rank), '--budget', '1', '-o', 'json'],
        { env: { SKIPRING_JOIN_TOKEN: 'a secret of these machines' } },
      ),
    );
    const results = await Promise.all(runs);
    for (const { code, stderr } of results) expect(code, stderr).toBe(0);
    const [first, second] = results.map(({ stdout }) => JSON.parse(stdout) as RingTuning);
    expect(second).toEqual(first);
    expect(first!.present).toEqual({ exchangeLimitBytes: 16_384, segmentBytes: 1_048_576 });
    expect(first!.algorithms).toHaveLength(11);
  });

  it('leaves nothing behind when it is interrupted while it waits for another rank', async () => {
    const members = `127.0.0.1:${await freePort()},127.0.0.1:${await freePort()}`;
    const command = home.start(['tune-ring', '--members', members, '--rank', '0']);
    await until('a rank', async () => ((await home.processes()).length === 2 ? true : null));
    command.signal('SIGINT');
    expect(await command.result()).toMatchObject({ code: 130, stdout: '' });
    await until('no process', async () => ((await home.processes()).length === 0 ? true : null));
  });

  it('says why a rank cannot listen', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const members = `127.0.0.1:${port},127.0.0.1:${port}`;
    const result = await home.run(['tune-ring', '--members', members, '--rank', '1']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/EADDRINUSE.*\nnext: start all ranks/);
    server.close();
  });
});
