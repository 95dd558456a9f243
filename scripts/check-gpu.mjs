#!/usr/bin/env node
// What only a machine with an NVIDIA GPU can show: that workers on it train, that a job has the same
// bits on one worker, on several, and on a rerun, and how fast ResNet-50 is beside PyTorch.
// Exits with 0 when all of it holds, 1 when a part does not, 7 on a machine without a GPU.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const NO_GPU = 7;
const environment = { ...process.env, SKIPRING_DEVICE: 'gpu' };
const say = (message) => process.stderr.write(`check:gpu: ${message}\n`);

/** The names of the GPUs that the driver knows; null where there is no driver. */
function gpuNames() {
  const query = ['--query-gpu=name', '--format=csv,noheader'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 30_000 });
  if (status === 0 && stdout.trim() !== '') return stdout.trim().split('\n').join(', ');
  return existsSync('/proc/driver/nvidia/gpus') ? 'an NVIDIA GPU' : null;
}

/** Runs one part to its end; true when it holds. */
function holds(what, script, ...args) {
  say(what);
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  if (status !== 0) say(`failed: ${what}`);
  return status === 0;
}

const names = gpuNames();
if (names === null) {
  say('no NVIDIA GPU is found here (nvidia-smi, /proc/driver/nvidia): nothing was checked');
  process.exit(NO_GPU);
}
say(`found ${names}`);
const ok =
  holds('set-up with the GPU build of TensorFlow', 'scripts/setup.mjs') &&
  [
    holds(
      'the same bits on 1, 2, 3 and 4 workers of this GPU, and on a rerun',
      'node_modules/vitest/vitest.mjs',
      ...['run', '--project', 'system', 'test/system/same-bits.test.ts'],
    ),
    holds('ResNet-50, batch 256, float32 and bfloat16', 'bench/run.mjs', 'gpu'),
  ].every(Boolean);
say(ok ? 'all of it holds' : 'not all of it holds');
process.exit(ok ? 0 : 1);
