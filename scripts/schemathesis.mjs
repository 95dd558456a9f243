// Sends thousands of generated requests, good and bad, to a coordinator of its own and holds every
// answer against the OpenAPI document. Needs python3 with venv and the Python package index.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { virtualEnvironment } from './virtual-environment.mjs';

const VERSION = '4.32.5';
const START_TIMEOUT_MS = 120_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const numExamples = process.argv[2] ?? '100';
const seed = process.argv[3] ?? '1';

const venv = virtualEnvironment('schemathesis', [`schemathesis==${VERSION}`]);
const program = join(venv, 'bin', 'schemathesis');
const directory = mkdtempSync(join(tmpdir(), 'skipring-schemathesis-'));
const up = spawn(
  process.execPath,
  [join(root, 'apps/cli/bin/skipring.js'), 'up', '--workers', '0', '--port', '0'],
  { env: { ...process.env, SKIPRING_DATA_DIR: directory }, stdio: ['ignore', 'ignore', 'inherit'] },
);
const ended = new Promise((done) => up.once('exit', done));
try {
  const endpoint = join(directory, 'endpoint.json');
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(endpoint)) {
    if (up.exitCode !== null || Date.now() > deadline) throw new Error('the coordinator is not up');
    await new Promise((done) => setTimeout(done, 200));
  }
  const { url, token } = JSON.parse(readFileSync(endpoint, 'utf8'));
  const args = [
    ...['--config-file', join(root, 'scripts/schemathesis.toml')],
    ...['run', `${url}/api/v1/openapi.json`, '--header', `Authorization: Bearer ${token}`],
    ...['--checks', 'all', '--max-examples', numExamples, '--seed', seed],
    // A stream of events goes on until its job ends.
    ...['--exclude-operation-id', 'followJob', '--request-timeout', '10'],
  ];
  const child = spawn(program, args, { stdio: 'inherit', cwd: directory });
  process.exitCode = await new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
} finally {
  up.kill('SIGTERM');
  await ended;
  rmSync(directory, { recursive: true, force: true });
}
