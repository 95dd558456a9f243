import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProvisionError } from '../errors.js';
import type { DeviceChoice } from '../options/options.js';
import { findProgram, runProgram } from './run-program.js';

/** The kind of TensorFlow that is provisioned. */
export type Device = 'cpu' | 'gpu';

/** What tells of an NVIDIA GPU, and of which. */
export interface GpuSigns {
  /** Names of the GPUs; empty when only the driver's presence is known. */
  readonly names: readonly string[];
  readonly driverVersion: string | undefined;
}

/**
 * Looks for an NVIDIA GPU: in the driver's own files, its device files, and by `nvidia-smi`.
 * `root` stands for `/` in tests.
 */
export async function findGpu(
  searchPath: readonly string[],
  root = '/',
): Promise<GpuSigns | undefined> {
  const driver = join(root, 'proc/driver/nvidia');
  if (existsSync(driver)) {
    return { names: driverGpuNames(join(driver, 'gpus')), driverVersion: driverVersion(driver) };
  }
  if (existsSync(join(root, 'dev/nvidia0'))) return { names: [], driverVersion: undefined };
  const smi = findProgram('nvidia-smi', searchPath);
  if (smi === undefined) return undefined;
  const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
  const { status, stdout } = await runProgram(smi, query, { env: {}, deadlineMs: 10_000 });
  const rows = stdout.split('\n').filter((row) => row.includes(','));
  if (status !== 0 || rows.length === 0) return undefined;
  const cells = rows.map((row) => row.split(',').map((cell) => cell.trim()));
  return { names: cells.map(([name = 'unknown']) => name), driverVersion: cells[0]?.[1] };
}

/** `SKIPRING_DEVICE` asks for a GPU, and there is none. */
export function gpuNotFound(): ProvisionError {
  return new ProvisionError(
    'GPU_NOT_FOUND',
    'SKIPRING_DEVICE is gpu, but no NVIDIA GPU is found',
    'install the NVIDIA driver (525 or later), or set SKIPRING_DEVICE=cpu',
  );
}

/**
 * Settles `auto`: `gpu` where a GPU is found. `root` stands for `/` in tests.
 *
 * @throws ProvisionError `GPU_NOT_FOUND` before 3 GB are fetched that could not be used.
 */
export async function chooseDevice(
  choice: DeviceChoice,
  searchPath: readonly string[],
  root = '/',
): Promise<Device> {
  if (choice === 'cpu') return choice;
  if ((await findGpu(searchPath, root)) !== undefined) return 'gpu';
  if (choice === 'gpu') throw gpuNotFound();
  return 'cpu';
}

function driverGpuNames(gpusDir: string): string[] {
  try {
    return readdirSync(gpusDir).map((gpu) => {
      const information = readFileSync(join(gpusDir, gpu, 'information'), 'utf8');
      return /^Model:\s*(.+)$/m.exec(information)?.[1] ?? 'unknown';
    });
  } catch {
    return [];
  }
}

function driverVersion(driver: string): string | undefined {
  try {
    const text = readFileSync(join(driver, 'version'), 'utf8');
    return /Kernel Module(?: for x86_64)?\s+([\d.]+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}
