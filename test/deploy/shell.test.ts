import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureDebianProgram } from '../support/debian-program.js';
import { repository } from './paths.js';

const shellcheck = await ensureDebianProgram('shellcheck', 'shellcheck');
const scripts = [
  'deploy/docker/build.sh',
  'test/kubernetes/agent/bin/redis-cli',
  'test/kubernetes/agent/bin/redis-server',
];

describe.skipIf(shellcheck === undefined)('shellcheck (needs it, or apt to fetch it)', () => {
  it.each(scripts)('has nothing to say about %s', (path) => {
    const { status, stdout, stderr } = spawnSync(shellcheck!, [join(repository, path)], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stdout + stderr).toBe('');
    expect(status).toBe(0);
  });
});
