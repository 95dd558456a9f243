import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bindingDigest } from './binding.js';
import { compile, compilerArguments, systemCompilers, type Compiler } from './compile.js';
import { installBinding } from './install.js';
import { findBindingPackages, type BindingPackages } from './package.js';

describe('the binding', () => {
  let directory: string;
  let packages: BindingPackages;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'skipring-binding-'));
    const source = join(directory, 'tfjs_binding.cc');
    await writeFile(source, 'int x;');
    packages = {
      tfjsDir: directory,
      tfjsVersion: '4.22.0',
      sources: [source],
      nodeApiIncludeDir: '/napi',
      nodeApiVersion: '1.0.0',
      installedPath: join(directory, 'lib', 'napi-v8', 'tfjs_binding.node'),
    };
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('has a digest that changes with source, TensorFlow and package', async () => {
    const digest = await bindingDigest(packages, '/tf');
    expect(await bindingDigest(packages, '/tf')).toBe(digest);
    expect(await bindingDigest(packages, '/other')).not.toBe(digest);
    expect(await bindingDigest({ ...packages, tfjsVersion: '5.0.0' }, '/tf')).not.toBe(digest);
    expect(await bindingDigest({ ...packages, nodeApiVersion: '2.0.0' }, '/tf')).not.toBe(digest);
    await writeFile(packages.sources[0]!, 'int y;');
    expect(await bindingDigest(packages, '/tf')).not.toBe(digest);
  });

  it('is shared by checkouts with the same packages', async () => {
    const source = join(directory, 'elsewhere.cc');
    await writeFile(source, 'int x;');
    const elsewhere = { ...packages, sources: [source], nodeApiIncludeDir: '/elsewhere/napi' };
    expect(await bindingDigest(elsewhere, '/tf')).toBe(await bindingDigest(packages, '/tf'));
  });

  it('links TensorFlow where it lies and finds it there at run time', () => {
    const args = compilerArguments(packages, '/tf', '/out.node');
    expect(args).toContain('/tf/libtensorflow_cc.so.2');
    expect(args).toContain('-Wl,-rpath,/tf');
    expect(args.join(' ')).toContain('-o /out.node');
  });

  it('goes on to the next compiler when one fails, and says what each said', async () => {
    const used: string[] = [];
    const compiler = (name: string, status: number): Compiler => ({
      name,
      run: () => {
        used.push(name);
        return Promise.resolve({ status, stdout: '', stderr: `${name} complains` });
      },
    });
    async function* list(...compilers: Compiler[]): AsyncGenerator<Compiler> {
      for (const each of compilers) yield await Promise.resolve(each);
    }
    const all = [compiler('old', 1), compiler('new', 0), compiler('last', 0)];
    expect(await compile(list(...all), [])).toBe('new');
    expect(used).toEqual(['old', 'new']);
    await expect(compile(list(compiler('a', 1), compiler('b', 1)), [])).rejects.toMatchObject({
      code: 'COMPILE_FAILED',
      message: expect.stringMatching(/a complains[^]*b complains/) as string,
    });
  });

  it('finds the compilers on the search path only', async () => {
    const bin = join(directory, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'clang++'), '#!/bin/sh\nexit 3\n');
    await chmod(join(bin, 'clang++'), 0o755);
    await writeFile(join(bin, 'g++'), 'not executable');
    const [only, ...others] = systemCompilers([bin], directory);
    expect(others).toEqual([]);
    expect(only?.name).toBe(join(bin, 'clang++'));
    expect(await only?.run([])).toMatchObject({ status: 3 });
    expect(systemCompilers([], directory)).toEqual([]);
  });

  it('is installed once, leaving no other file', async () => {
    const built = join(directory, 'built.node');
    await writeFile(built, 'one');
    expect(await installBinding(built, packages.installedPath)).toBe(true);
    expect(await installBinding(built, packages.installedPath)).toBe(false);
    await writeFile(built, 'two');
    expect(await installBinding(built, packages.installedPath)).toBe(true);
    expect(await readFile(packages.installedPath, 'utf8')).toBe('two');
    expect(await readdir(join(directory, 'lib', 'napi-v8'))).toEqual(['tfjs_binding.node']);
  });

  it('says which package is missing', () => {
    expect(() => findBindingPackages(directory)).toThrowError(
      expect.objectContaining({ code: 'TFJS_MISSING' }) as Error,
    );
  });
});
