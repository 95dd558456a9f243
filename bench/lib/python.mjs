import { spawnSync } from 'node:child_process';

/** The Python that measures PyTorch: SKIPRING_BENCH_PYTHON, or `python3`. */
export const python = process.env.SKIPRING_BENCH_PYTHON ?? 'python3';

/** Why there is no column of PyTorch, where there is none. */
export const NO_PYTORCH = `${python} cannot import torch: no PyTorch column`;

export function hasPyTorch() {
  return spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
}
