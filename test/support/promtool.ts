import { spawnSync } from 'node:child_process';
import { ensureDebianProgram } from './debian-program.js';

/** Path of `promtool`; undefined where it cannot be had. */
export const ensurePromtool = (): Promise<string | undefined> =>
  ensureDebianProgram('promtool', 'prometheus');

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
