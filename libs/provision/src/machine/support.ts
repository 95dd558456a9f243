import { ProvisionError } from '../errors.js';
import type { Machine } from './machine.js';

/** TensorFlow's wheels are tagged `manylinux_2_27`. */
const MIN_GLIBC = [2, 27] as const;
const MIN_NODE = [20, 19] as const;

/**
 * Why TensorFlow cannot run on this machine, most basic reason first; `undefined` when it can.
 */
export function unsupportedReason(machine: Machine): ProvisionError | undefined {
  if (machine.platform !== 'linux') {
    return new ProvisionError(
      'UNSUPPORTED_PLATFORM',
      `the platform is ${machine.platform}; TensorFlow is provisioned for Linux only`,
      'use Linux: a virtual machine, a container, or WSL 2 on Windows',
    );
  }
  if (machine.arch !== 'x64') {
    return new ProvisionError(
      'UNSUPPORTED_ARCHITECTURE',
      `the processor architecture is ${machine.arch}; TensorFlow is provisioned for x86-64 (x64)`,
      'use an x86-64 machine, and the x64 build of Node.js on it',
    );
  }
  if (!isAtLeast(machine.nodeVersion, MIN_NODE)) {
    return new ProvisionError(
      'UNSUPPORTED_NODE',
      `Node.js is ${machine.nodeVersion}; at least ${MIN_NODE.join('.')} is needed`,
      'install Node.js 20.19 or later, 22 or 24',
    );
  }
  if (machine.glibcVersion === undefined) {
    return new ProvisionError(
      'UNSUPPORTED_LIBC',
      'the C library is not glibc (Alpine Linux has musl); TensorFlow is built for glibc',
      'use a glibc distribution such as Debian, Ubuntu or Fedora; of the Node.js images take node:22-slim, not node:22-alpine',
    );
  }
  if (!isAtLeast(machine.glibcVersion, MIN_GLIBC)) {
    return new ProvisionError(
      'UNSUPPORTED_GLIBC',
      `glibc is ${machine.glibcVersion}; TensorFlow needs at least ${MIN_GLIBC.join('.')}`,
      'use a distribution from 2018 or later',
    );
  }
  // A machine that hides its flags gets the benefit of the doubt.
  if (machine.cpuFlags.size > 0 && !machine.cpuFlags.has('avx')) {
    return new ProvisionError(
      'UNSUPPORTED_CPU',
      `the processor (${machine.cpuModel}) has no AVX instructions, which TensorFlow is compiled to use`,
      'use a processor from 2011 or later; in a virtual machine pass the host processor through',
    );
  }
  return undefined;
}

/** Compares dotted versions by their first two numbers. */
export function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
