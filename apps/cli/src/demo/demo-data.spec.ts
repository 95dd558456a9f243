import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataSetView } from '@skipring/protocol';
import { preparedEarlier, dataFromFolder } from './demo-data.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skipring-demo-data-'));
});
afterEach(() => rm(folder, { recursive: true }));

const nameOf = async (path: string): Promise<string> => (await dataFromFolder(path)).name;

describe('dataFromFolder', () => {
  it('names one folder always the same, also through a link', async () => {
    await writeFile(join(folder, 'a'), '1');
    const name = await nameOf(folder);
    expect(name).toMatch(/^fashion-mnist-[0-9a-f]{8}$/);
    const link = `${folder}-link`;
    await symlink(folder, link);
    try {
      expect(await nameOf(link)).toBe(name);
    } finally {
      await rm(link);
    }
  });

  it('gives another folder, and one that has changed, another name', async () => {
    const other = await mkdtemp(join(tmpdir(), 'skipring-demo-data-'));
    try {
      const empty = await nameOf(folder);
      expect(await nameOf(other)).not.toBe(empty);
      await writeFile(join(folder, 'a'), '1');
      const one = await nameOf(folder);
      expect(one).not.toBe(empty);
      await writeFile(join(folder, 'a'), '12');
      expect(await nameOf(folder)).not.toBe(one);
    } finally {
      await rm(other, { recursive: true });
    }
  });

  it('refuses what is no folder', async () => {
    await writeFile(join(folder, 'a'), '1');
    await expect(dataFromFolder(join(folder, 'a'))).rejects.toThrow('expected a folder');
    await expect(dataFromFolder(join(folder, 'b'))).rejects.toThrow('no such file or directory');
  });
});

describe('preparedEarlier', () => {
  const view = (name: string, state: DataSetView['state'], day: number): DataSetView => ({
    name,
    owner: 'root',
    state,
    reason: '',
    hash: null,
    manifest: null,
    createdAt: `2026-01-0${day}T00:00:00.000Z`,
  });
  const choose = (...views: DataSetView[]) =>
    preparedEarlier({ dataSets: () => Promise.resolve(views) });

  it('is the newest Fashion-MNIST that is ready', async () => {
    const views = [
      view('fashion-mnist', 'ready', 1),
      view('fashion-mnist-0123abcd', 'ready', 3),
      view('fashion-mnist-89abcdef', 'ready', 2),
      view('fashion-mnist-00000000', 'failed', 4),
      view('fashion-mnist-mine', 'ready', 5),
    ];
    expect(await choose(...views)).toBe('fashion-mnist-0123abcd');
  });

  it('is null where there is none', async () => {
    const views = [view('fashion-mnist', 'preparing', 1), view('other', 'ready', 1)];
    expect(await choose(...views)).toBeNull();
  });
});
