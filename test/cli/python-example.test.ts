import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addGlyphs, startCluster, type TestCluster } from '../support/cluster.js';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const run = promisify(execFile);

describe.skipIf(!hasPython)('the Python example (needs python3)', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster(1);
  });
  afterAll(() => cluster.stop());

  const example = async (...args: string[]): Promise<{ stdout: string }> => {
    const { url, token } = cluster.cluster.endpoint;
    const env = { ...process.env, SKIPRING_URL: url, SKIPRING_TOKEN: token ?? '' };
    const options = { cwd: cluster.dataDirectory, env, timeout: 240_000 };
    return run('python3', [resolve('examples/python/train.py'), ...args], options);
  };

  it('trains a job and stores its model', async () => {
    const dataSet = await addGlyphs(cluster.client, 96, 20);
    const { stdout } = await example(dataSet);
    expect(stdout).toMatch(
      /^job job-\w+\n[^]*step 3 loss \d\.\d{4}\n[^]*succeeded all steps are done\n/,
    );
    const [, path = '', sha256] = /^model (\S+) ([0-9a-f]{64})$/m.exec(stdout) ?? [];
    const file = await readFile(join(cluster.dataDirectory, path));
    expect(createHash('sha256').update(file).digest('hex')).toBe(sha256);
  });

  it('says what was refused', async () => {
    const refused = example('none').catch((error: unknown) => error);
    expect(await refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(DATA_SET_UNKNOWN)') as string,
    });
  });
});
