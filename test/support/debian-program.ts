import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { optionsFromEnvironment } from '@skipring/provision';

const DOWNLOAD_DEADLINE_MS = 120_000;

/**
 * Path of a program: the machine's own, else out of the Debian package that holds it as
 * `usr/bin/PROGRAM`, which needs no root to be fetched (apt checks it) and unpacked, and is kept in
 * the cache. Undefined on a machine that has neither.
 */
export async function ensureDebianProgram(
  program: string,
  packageName: string,
): Promise<string | undefined> {
  if (spawnSync(program, ['--version']).status === 0) return program;
  const { cacheDir } = optionsFromEnvironment(process.env);
  const path = join(cacheDir, program);
  if (existsSync(path)) return path;
  if (spawnSync('apt-get', ['--version']).status !== 0) return undefined;
  await mkdir(cacheDir, { recursive: true });
  const directory = await mkdtemp(join(cacheDir, `${program}-partial-`));
  try {
    const archive =
      (await fetchPackage(packageName, directory, [])) ??
      (await fetchWithOwnLists(packageName, directory));
    if (archive === undefined || !run('dpkg-deb', ['-x', archive, directory], directory)) {
      return undefined;
    }
    // One rename: another process sees the whole program or none.
    await rename(join(directory, 'usr', 'bin', program), path);
    return path;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** For machines whose lists of packages are empty, as in fresh containers, or not readable. */
async function fetchWithOwnLists(
  packageName: string,
  directory: string,
): Promise<string | undefined> {
  const lists = join(directory, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(directory, 'cache', 'archives', 'partial'), { recursive: true });
  const options = [`Dir::State::Lists=${lists}`, `Dir::Cache=${join(directory, 'cache')}`];
  const flags = options.flatMap((option) => ['-o', option]);
  if (!run('apt-get', [...flags, 'update'], directory)) return undefined;
  return fetchPackage(packageName, directory, flags);
}

async function fetchPackage(
  packageName: string,
  directory: string,
  flags: readonly string[],
): Promise<string | undefined> {
  if (!run('apt-get', [...flags, 'download', packageName], directory)) return undefined;
  const name = (await readdir(directory)).find((file) => file.endsWith('.deb'));
  return name === undefined ? undefined : join(directory, name);
}

function run(program: string, args: readonly string[], cwd: string): boolean {
  const options = { cwd, timeout: DOWNLOAD_DEADLINE_MS, stdio: 'ignore' } as const;
  return spawnSync(program, args, options).status === 0;
}
