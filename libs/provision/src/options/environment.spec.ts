import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheDirectory, optionsFromEnvironment } from './environment.js';
import { parsePipConfig } from './pip-config.js';

const BARE = { HOME: '/home/nobody', PIP_CONFIG_FILE: '/dev/null' };

describe('optionsFromEnvironment', () => {
  it('has defaults for an empty environment', () => {
    const options = optionsFromEnvironment({ PIP_CONFIG_FILE: '/dev/null' });
    expect(options.device).toBe('auto');
    expect(options.searchPath).toEqual([]);
    expect(options.index.indexUrls).toHaveLength(1);
    expect(options.useSystemCompiler).toBe(true);
    expect(existsSync(join(options.packageRoot, 'package-lock.json'))).toBe(true);
    expect(Object.isFrozen(options)).toBe(true);
    expect(Object.isFrozen(options.index)).toBe(true);
  });

  it('chooses the cache directory as documented', () => {
    const chosen = { SKIPRING_CACHE_DIR: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' };
    expect(cacheDirectory(chosen)).toBe('/c');
    expect(cacheDirectory({ ...chosen, SKIPRING_CACHE_DIR: '' })).toBe('/x/skipring');
    expect(cacheDirectory({ HOME: '/h', XDG_CACHE_HOME: 'relative' })).toBe('/h/.cache/skipring');
  });

  it("honours pip's variables", () => {
    const { index } = optionsFromEnvironment({
      ...BARE,
      PIP_INDEX_URL: 'https://mirror.example/simple',
      PIP_EXTRA_INDEX_URL: 'https://a.example/s/ https://b.example/s',
      PIP_CERT: '/certs/corporate.pem',
      PIP_FIND_LINKS: '/wheels https://not.a/directory',
      HTTPS_PROXY: 'http://proxy:3128',
      NO_PROXY: 'localhost, .internal',
    });
    expect(index.indexUrls).toEqual([
      'https://mirror.example/simple/',
      'https://a.example/s/',
      'https://b.example/s/',
    ]);
    expect(index.caFiles).toContain('/certs/corporate.pem');
    expect(index.wheelDirs).toEqual(['/wheels']);
    expect(index.proxyUrl).toBe('http://proxy:3128/');
    expect(index.noProxy).toEqual(['localhost', '.internal']);
  });

  it("honours pip's configuration file, and variables before it", async () => {
    const directory = await mkdtemp(join(tmpdir(), 'skipring-pip-'));
    const file = join(directory, 'pip.conf');
    await writeFile(file, '[global]\nindex-url = https://conf.example/simple\n');
    const env = { HOME: directory, PIP_CONFIG_FILE: file };
    expect(optionsFromEnvironment(env).index.indexUrls).toEqual(['https://conf.example/simple/']);
    const both = { ...env, PIP_INDEX_URL: 'https://env.example/' };
    expect(optionsFromEnvironment(both).index.indexUrls).toEqual(['https://env.example/']);
    await rm(directory, { recursive: true });
  });

  it.each([
    ['SKIPRING_DEVICE', 'tpu'],
    ['SKIPRING_COMPILER', 'gcc'],
    ['PIP_INDEX_URL', 'file:///wheels'],
    ['HTTPS_PROXY', 'proxy:3128'],
  ])('refuses %s=%s, naming it', (name, value) => {
    expect(() => optionsFromEnvironment({ ...BARE, [name]: value })).toThrowError(
      expect.objectContaining({
        code: 'OPTIONS_INVALID',
        message: expect.stringContaining(value) as string,
      }) as Error,
    );
  });
});

describe('parsePipConfig', () => {
  it('reads the sections that concern downloads, with comments and continued values', () => {
    const text = [
      '# a comment',
      '[list]',
      'index-url = https://other.example/',
      '[global]',
      'Index_URL: https://one.example/',
      '; another',
      'extra-index-url =',
      '    https://two.example/',
      '    https://three.example/',
      'timeout = 60',
      '[install]',
      'cert = /c.pem',
    ].join('\n');
    expect(parsePipConfig(text)).toEqual({
      'index-url': 'https://one.example/',
      'extra-index-url': 'https://two.example/ https://three.example/',
      cert: '/c.pem',
    });
  });
});
