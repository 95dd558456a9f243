import { findGpu, gpuNotFound } from '../machine/device.js';
import type { Machine } from '../machine/machine.js';
import { findProgram, runProgram } from '../machine/run-program.js';
import { unsupportedReason } from '../machine/support.js';
import type { ProvisionOptions } from '../options/options.js';
import { formatBytes } from '../progress.js';
import { check, type Check } from './check.js';

/** Instructions that make TensorFlow faster, with the names of `/proc/cpuinfo`. */
const CPU_FEATURES = ['avx', 'avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_tile', 'amx_bf16'];
/** A small model with its TensorFlow takes about 1.5 GB in a worker; two workers and a coordinator. */
const COMFORTABLE_MEMORY_BYTES = 4e9;

/** Checks of what set-up cannot change. */
export function machineChecks(machine: Machine): Check[] {
  const reason = unsupportedReason(machine);
  const failsWith = (name: string, ok: string, ...codes: readonly string[]): Check =>
    reason && codes.includes(reason.code)
      ? check(name, 'fail', reason.message, reason.fix)
      : check(name, 'ok', ok);
  const features = CPU_FEATURES.filter((flag) => machine.cpuFlags.has(flag));
  return [
    failsWith('Node.js', machine.nodeVersion, 'UNSUPPORTED_NODE'),
    failsWith('platform', machine.platform, 'UNSUPPORTED_PLATFORM'),
    failsWith('architecture', machine.arch, 'UNSUPPORTED_ARCHITECTURE'),
    failsWith(
      'C library',
      machine.glibcVersion === undefined ? 'unknown' : `glibc ${machine.glibcVersion}`,
      'UNSUPPORTED_LIBC',
      'UNSUPPORTED_GLIBC',
    ),
    failsWith('CPU', `${machine.cpuModel} (${features.join(', ')})`, 'UNSUPPORTED_CPU'),
    check('cores', 'ok', String(machine.numCores)),
    check(
      'memory',
      machine.memoryBytes >= COMFORTABLE_MEMORY_BYTES ? 'ok' : 'warn',
      formatBytes(machine.memoryBytes),
      'train with one worker or small batches, or give the machine 4 GB or more',
    ),
  ];
}

/** Whether `npm` can be run; only set-up needs it. */
export async function npmCheck(searchPath: readonly string[]): Promise<Check> {
  const npm = findProgram('npm', searchPath);
  const fix = 'install npm, which comes with Node.js';
  if (npm === undefined) return check('npm', 'warn', 'not found on PATH', fix);
  const env = { PATH: searchPath.join(':') };
  const { status, stdout } = await runProgram(npm, ['--version'], { env, deadlineMs: 30_000 });
  return status === 0
    ? check('npm', 'ok', stdout.trim())
    : check('npm', 'warn', `${npm} does not run (status ${status ?? 'none'})`, fix);
}

/** Which GPU there is, and whether it fits the chosen device. */
export async function deviceCheck(options: ProvisionOptions): Promise<Check> {
  const gpu = await findGpu(options.searchPath);
  if (gpu === undefined) {
    const { message, fix } = gpuNotFound();
    return options.device === 'gpu'
      ? check('device', 'fail', message, fix)
      : check('device', 'ok', 'CPU (no NVIDIA GPU found)');
  }
  const names = gpu.names.length > 0 ? gpu.names.join(', ') : 'an NVIDIA GPU';
  const driver = gpu.driverVersion === undefined ? '' : `, driver ${gpu.driverVersion}`;
  return options.device === 'cpu'
    ? check('device', 'warn', `CPU by choice; ${names} unused${driver}`, 'unset SKIPRING_DEVICE')
    : check('device', 'ok', `GPU: ${names}${driver}`);
}
