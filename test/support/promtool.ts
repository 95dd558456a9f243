import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { optionsFromEnvironment } from '@skipring/provision';

const DOWNLOAD_DEADLINE_MS = 120_000;

/**
 * Path of `promtool`: the machine's own, else out of Debian's package of Prometheus, which needs no
 * root to be fetched (apt checks it) and unpacked. Undefined on a machine that has neither.
 */
export async function ensurePromtool(): Promise<string | undefined> {
  if (spawnSync('promtool', ['--version']).status === 0) return 'promtool';
  const { cacheDir } = optionsFromEnvironment(process.env);
  const path = join(cacheDir, 'promtool');
  if (existsSync(path)) return path;
  if (spawnSync('apt-get', ['--version']).status !== 0) return undefined;
  await mkdir(cacheDir, { recursive: true });
  const directory = await mkdtemp(join(cacheDir, 'promtool-partial-'));
  try {
    const archive = (await fetchPackage(directory, [])) ?? (await fetchWithOwnLists(directory));
    if (archive === undefined || !run('dpkg-deb', ['-x', archive, directory], directory)) {
      return undefined;
    }
    // One rename: another process sees the whole program or none.
    await rename(join(directory, 'usr', 'bin', 'promtool'), path);
    return path;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What `promtool check metrics` has to say about a page; empty when all is well. */
export function checkMetrics(promtool: string, page: string): string {
  const { status, stdout, stderr, error } = spawnSync(promtool, ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (error !== undefined) throw error;
  return status === 0 ? stdout + stderr : `status ${status}: ${stdout}${stderr}`;
}

/** For machines whose lists of packages are empty, as in fresh containers, or not readable. */
async function fetchWithOwnLists(directory: string): Promise<string | undefined> {
  const lists = join(directory, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(directory, 'cache', 'archives', 'partial'), { recursive: true });
  const options = [`Dir::State::Lists=${lists}`, `Dir::Cache=${join(directory, 'cache')}`];
  const flags = options.flatMap((option) => ['-o', option]);
  if (!run('apt-get', [...flags, 'update'], directory)) return undefined;
  return fetchPackage(directory, flags);
}

async function fetchPackage(directory: string, flags: string[]): Promise<string | undefined> {
  if (!run('apt-get', [...flags, 'download', 'prometheus'], directory)) return undefined;
  const name = (await readdir(directory)).find((file) => file.endsWith('.deb'));
  return name === undefined ? undefined : join(directory, name);
}

function run(program: string, args: readonly string[], cwd: string): boolean {
  const options = { cwd, timeout: DOWNLOAD_DEADLINE_MS, stdio: 'ignore' } as const;
  return spawnSync(program, args, options).status === 0;
}
