import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optionsFromEnvironment } from '../options/environment.js';
import { doctor } from './doctor.js';
import { portCheck } from './software-checks.js';

describe('doctor', () => {
  it('finds what is missing on a machine that is not set up, and says what to do', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'skipring-doctor-'));
    const env = { HOME: directory, SKIPRING_CACHE_DIR: join(directory, 'cache'), PATH: '' };
    const options = { ...optionsFromEnvironment(env), packageRoot: directory };
    const checks = await doctor(options, { ports: [], dataDir: directory });
    const byName = new Map(checks.map((found) => [found.name, found]));
    expect(byName.get('Node.js')?.status).toBe('ok');
    expect(byName.get('C library')?.detail).toContain('glibc');
    expect(byName.get('npm')?.status).toBe('warn');
    for (const name of ['TensorFlow', 'Redis']) {
      expect(byName.get(name)?.status).toBe('fail');
      expect(byName.get(name)?.fix).toContain('npm run setup');
    }
    expect(byName.get('cache')?.status).toBe('warn');
    expect(byName.has('data disk')).toBe(true);
    await rm(directory, { recursive: true });
  });

  it('tells a free port from a taken one', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await portCheck(port)).toMatchObject({ status: 'warn' });
    await new Promise((resolve) => server.close(resolve));
    expect(await portCheck(port)).toMatchObject({ status: 'ok', detail: 'free' });
  });
});
