import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeZip, type ZipMember } from '../testing/zip.js';
import { unpack } from './unpack.js';

describe('unpack', () => {
  let directory: string;
  const unpackThese = async (members: readonly ZipMember[], maxBytes = 1e6): Promise<string> => {
    const archive = join(directory, 'a.whl');
    await writeFile(archive, makeZip(members));
    const target = join(directory, 'target');
    await unpack(archive, target, { wanted: (path) => !path.startsWith('no/'), maxBytes });
    return target;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'skipring-unpack-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('unpacks the wanted members and keeps execute permission', async () => {
    const target = await unpackThese([
      { path: 'bin/server', content: '#!', mode: 0o100755 },
      { path: 'lib/a.so', content: 'elf' },
      { path: 'no/tests.py', content: 'x' },
      { path: 'empty/', content: '', mode: 0o040755 },
    ]);
    expect((await readdir(target)).sort()).toEqual(['bin', 'lib']);
    expect(await readFile(join(target, 'lib/a.so'), 'utf8')).toBe('elf');
    expect((await stat(join(target, 'bin/server'))).mode & 0o111).toBe(0o111);
    expect((await stat(join(target, 'lib/a.so'))).mode & 0o111).toBe(0);
  });

  it.each(['../evil', 'a/../../evil', '/evil', 'a\\..\\..\\evil'])(
    'refuses the member %s, which would land outside',
    async (path) => {
      await expect(unpackThese([{ path, content: 'x' }])).rejects.toMatchObject({
        code: 'ARCHIVE_INVALID',
      });
      expect(existsSync(join(directory, 'evil'))).toBe(false);
      expect(existsSync('/evil')).toBe(false);
    },
  );

  it('refuses a symbolic link', async () => {
    await expect(
      unpackThese([{ path: 'link', content: '/etc/passwd', mode: 0o120777 }]),
    ).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('refuses more bytes than allowed', async () => {
    const members = [
      { path: 'a', content: 'x'.repeat(60) },
      { path: 'b', content: 'x'.repeat(60) },
    ];
    await expect(unpackThese(members, 100)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('refuses what is no archive', async () => {
    const archive = join(directory, 'b.whl');
    await writeFile(archive, 'not a zip');
    await expect(
      unpack(archive, directory, { wanted: () => true, maxBytes: 10 }),
    ).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });
});
