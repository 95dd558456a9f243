// Runs the tests of test/interoperation with the real MLflow and TensorBoard, in a virtual environment of
// their own. Needs python3 with venv and the Python package index.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { virtualEnvironment } from './virtual-environment.mjs';

const PACKAGES = ['mlflow==3.17.2', 'tensorboard==2.21.0'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const python = join(virtualEnvironment('interoperation', PACKAGES), 'bin', 'python');
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--project', 'system', 'test/interoperation'],
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SKIPRING_TEST_PYTHON: python },
  },
);
process.exitCode = status ?? 1;
