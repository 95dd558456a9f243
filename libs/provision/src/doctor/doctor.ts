import { readMachine } from '../machine/machine.js';
import type { ProvisionOptions } from '../options/options.js';
import type { Check } from './check.js';
import { deviceCheck, machineChecks, npmCheck } from './machine-checks.js';
import {
  cacheCheck,
  diskCheck,
  portCheck,
  redisCheck,
  tensorflowCheck,
} from './software-checks.js';

/** What to look at beside the machine. */
export interface DoctorOptions {
  /** Ports that a server shall be able to use; the coordinator's 7400 when left out. */
  readonly ports?: readonly number[];
  /** Directory for data and checkpoints. */
  readonly dataDir?: string;
}

const COORDINATOR_PORT = 7400;

/**
 * Looks at all that a cluster on this machine needs; changes nothing and fetches nothing. Takes
 * about three seconds, most of it to load TensorFlow.
 */
export async function doctor(
  options: ProvisionOptions,
  { ports = [COORDINATOR_PORT], dataDir }: DoctorOptions = {},
): Promise<Check[]> {
  const disks = [diskCheck('cache disk', options.cacheDir)];
  if (dataDir !== undefined) disks.push(diskCheck('data disk', dataDir));
  return [
    ...machineChecks(readMachine()),
    ...(await Promise.all([
      npmCheck(options.searchPath),
      deviceCheck(options),
      tensorflowCheck(options),
      redisCheck(options),
      cacheCheck(options),
      ...disks,
      ...ports.map(portCheck),
    ])),
  ];
}
