import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BindingProbe } from './probe.js';
import { installWorkingBinding, type BindingSteps } from './working-binding.js';

const FOUND: BindingProbe = { tensorflowVersion: '2.21.0', usesGpu: false };

describe('installWorkingBinding', () => {
  let directory: string;
  let cached: string;
  let installedPath: string;
  let numRebuilds: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'skipring-working-'));
    cached = join(directory, 'cached.node');
    installedPath = join(directory, 'lib', 'installed.node');
    numRebuilds = 0;
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** A compiler that makes `content`, and a loader that loads only `good`. */
  const steps = (content: string): BindingSteps => ({
    build: async () => {
      const wasCached = existsSync(cached);
      if (!wasCached) await writeFile(cached, content);
      return { path: cached, wasCached };
    },
    probe: async () => {
      if ((await readFile(installedPath, 'utf8')) !== 'good') throw new Error('file too short');
      return FOUND;
    },
    onRebuild: () => {
      numRebuilds += 1;
    },
  });
  const install = (content: string): Promise<BindingProbe | undefined> =>
    installWorkingBinding({ installedPath }, steps(content));

  it('loads what it installed, and does so once', async () => {
    expect(await install('good')).toEqual(FOUND);
    expect(await install('good')).toBeUndefined();
  });

  it('builds a damaged binding of the cache anew', async () => {
    await writeFile(cached, 'x');
    expect(await install('good')).toEqual(FOUND);
    expect(numRebuilds).toBe(1);
    expect(await readFile(cached, 'utf8')).toBe('good');
  });

  it('keeps nothing of one that does not load, and fails each time', async () => {
    for (let i = 0; i < 2; i += 1) {
      await expect(install('bad')).rejects.toThrow('file too short');
      expect(existsSync(installedPath) || existsSync(cached)).toBe(false);
    }
    expect(numRebuilds).toBe(0);
  });
});
