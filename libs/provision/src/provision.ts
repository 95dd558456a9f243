import { ensureBinding } from './binding/binding.js';
import { tensorflowLibraryDir } from './binding/compile.js';
import { findBindingPackages } from './binding/package.js';
import { probeBinding } from './binding/probe.js';
import { installWorkingBinding } from './binding/working-binding.js';
import { ensureComponent } from './cache/component.js';
import { readWheelLock } from './cache/wheel-lock.js';
import { ProvisionError } from './errors.js';
import { chooseDevice, type Device } from './machine/device.js';
import { readMachine } from './machine/machine.js';
import { unsupportedReason } from './machine/support.js';
import type { ProvisionOptions } from './options/options.js';
import { silentProgress, type ProgressReporter } from './progress.js';
import { findRedisServer, type RedisServer } from './redis/find-redis.js';

/** What is in place after provisioning. */
export interface Provisioned {
  readonly device: Device;
  /** Such as `2.21.0`. */
  readonly tensorflowVersion: string;
  /** Holds TensorFlow's shared libraries. */
  readonly tensorflowDir: string;
  /** The binding where `@tensorflow/tfjs-node-gpu` loads it from. */
  readonly bindingPath: string;
  readonly redis: RedisServer;
}

/**
 * Puts in place all that is not an npm package: TensorFlow, its binding and a Redis server. What is
 * there already is left alone, and then no network is needed and it takes milliseconds.
 *
 * @throws ProvisionError that says what is missing and what to do.
 */
export async function provision(
  options: ProvisionOptions,
  progress: ProgressReporter = silentProgress,
): Promise<Provisioned> {
  const reason = unsupportedReason(readMachine());
  if (reason) throw reason;
  const lock = readWheelLock();
  const packages = findBindingPackages(options.packageRoot);
  const device = await chooseDevice(options.device, options.searchPath);

  const component = device === 'gpu' ? 'tensorflow-gpu' : 'tensorflow-cpu';
  const componentDirectory = await ensureComponent(component, lock, options, progress);
  const tensorflowDir = tensorflowLibraryDir(componentDirectory);
  const probe = await installWorkingBinding(packages, {
    build: () => ensureBinding(packages, tensorflowDir, lock, options, progress),
    probe: () => probeBinding(options.packageRoot),
    onRebuild: () => {
      progress.note('the cached binding does not load: building it anew');
    },
  });
  if (probe) {
    const { tensorflowVersion, usesGpu } = probe;
    progress.note(`TensorFlow ${tensorflowVersion} runs on the ${usesGpu ? 'GPU' : 'CPU'}`);
    if (device === 'gpu' && !usesGpu) {
      progress.note('it found no GPU that it can use here: check the driver with nvidia-smi');
    }
  }
  return {
    device,
    tensorflowVersion: lock[component][0].version,
    tensorflowDir,
    bindingPath: packages.installedPath,
    redis: await ensureRedis(options, progress),
  };
}

/**
 * Finds a Redis server, or fetches one.
 *
 * @throws ProvisionError `REDIS_NOT_FOUND` when the fetched one cannot be executed, and as
 * `ensureComponent` does.
 */
export async function ensureRedis(
  options: ProvisionOptions,
  progress: ProgressReporter = silentProgress,
): Promise<RedisServer> {
  const present = await findRedisServer(options);
  if (present) return present;
  const directory = await ensureComponent('redis', readWheelLock(), options, progress);
  const fetched = await findRedisServer(options);
  if (fetched) return fetched;
  throw new ProvisionError(
    'REDIS_NOT_FOUND',
    `the Redis server in ${directory} cannot be executed`,
    'set SKIPRING_CACHE_DIR to a directory on a disk that is not mounted noexec, or install redis-server 6.2 or later',
  );
}
