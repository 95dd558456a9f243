import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureComponent } from '../cache/component.js';
import { requireFreeBytes } from '../cache/disk.js';
import { withLock } from '../cache/process-lock.js';
import type { WheelLock } from '../cache/wheel-lock.js';
import { explainDiskError } from '../errors.js';
import type { ProvisionOptions } from '../options/options.js';
import type { ProgressReporter } from '../progress.js';
import {
  compile,
  compilerArguments,
  systemCompilers,
  zigCompiler,
  type Compiler,
} from './compile.js';
import type { BindingPackages } from './package.js';

const LOCK_DEADLINE_MS = 30 * 60_000;

/**
 * Digest of all that the binding is made of: sources, arguments (with TensorFlow's directory, hence
 * version and device), versions of the packages. Another digest is another file in the cache; two
 * checkouts with the same packages share one.
 */
export async function bindingDigest(
  packages: BindingPackages,
  tensorflowDir: string,
): Promise<string> {
  const hash = createHash('sha256');
  hash.update(`${packages.tfjsVersion}\n${packages.nodeApiVersion}\n${tensorflowDir}\n`);
  const withoutPaths = { ...packages, sources: [], nodeApiIncludeDir: '' };
  hash.update(compilerArguments(withoutPaths, tensorflowDir, '').join('\n'));
  for (const source of packages.sources) hash.update(await readFile(source));
  return hash.digest('hex').slice(0, 16);
}

/** Where the built binding lies in the cache. */
export function cachedBindingPath(cacheDir: string, digest: string): string {
  return join(cacheDir, 'bindings', `tfjs_binding-${digest}.node`);
}

/**
 * Makes sure that the binding for the TensorFlow in `tensorflowDir` is built.
 *
 * @throws ProvisionError `COMPILE_FAILED`, and as `ensureComponent` does for the compiler.
 */
export async function ensureBinding(
  packages: BindingPackages,
  tensorflowDir: string,
  lock: WheelLock,
  options: ProvisionOptions,
  progress: ProgressReporter,
): Promise<{ readonly path: string; readonly wasCached: boolean }> {
  const { cacheDir } = options;
  const digest = await bindingDigest(packages, tensorflowDir);
  const path = cachedBindingPath(cacheDir, digest);
  if (existsSync(path)) return { path, wasCached: true };

  const onWait = (pid: number | undefined): void => {
    progress.note(`waiting for process ${pid ?? 'unknown'}, which is building the binding`);
  };
  const lockPath = join(cacheDir, 'locks', `binding-${digest}.lock`);
  return withLock(lockPath, { deadlineMs: LOCK_DEADLINE_MS, onWait }, async () => {
    if (existsSync(path)) return { path, wasCached: true };
    await requireFreeBytes(cacheDir, 200e6, 'building the binding');
    await mkdir(join(cacheDir, 'bindings'), { recursive: true });
    const scratchDir = await mkdtemp(join(cacheDir, 'build-'));
    try {
      const output = join(scratchDir, 'tfjs_binding.node');
      const args = compilerArguments(packages, tensorflowDir, output);
      progress.note('building the binding to TensorFlow (a minute or two)');
      const name = await compile(compilers(scratchDir, lock, options, progress), args);
      await rename(output, path);
      progress.note(`built with ${name}`);
      return { path, wasCached: false };
    } catch (error) {
      throw explainDiskError(error, cacheDir);
    } finally {
      await rm(scratchDir, { recursive: true, force: true });
    }
  });
}

/** The machine's own compilers, and only when they fail one that has to be fetched. */
async function* compilers(
  scratchDir: string,
  lock: WheelLock,
  options: ProvisionOptions,
  progress: ProgressReporter,
): AsyncGenerator<Compiler> {
  if (options.useSystemCompiler) yield* systemCompilers(options.searchPath, scratchDir);
  progress.note('no usable C++ compiler on this machine: zig is used');
  const zigDir = await ensureComponent('zig', lock, options, progress);
  yield zigCompiler(zigDir, scratchDir);
}
