import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PinnedFile } from '../fetch/download.js';
import { ProvisionError } from '../errors.js';

/** What is provisioned as one directory of the cache. */
export const COMPONENT_NAMES = ['tensorflow-cpu', 'tensorflow-gpu', 'redis', 'zig'] as const;
export type ComponentName = (typeof COMPONENT_NAMES)[number];

/** One wheel, pinned by name, size and content. */
export interface Wheel extends PinnedFile {
  readonly distribution: string;
  readonly version: string;
}

/** The pinned wheels of each component; the first wheel names the component's version. */
export type WheelLock = Readonly<Record<ComponentName, readonly [Wheel, ...Wheel[]]>>;

/**
 * Reads `wheels.lock.json`, which is part of the package.
 *
 * @throws ProvisionError `WHEEL_LOCK_INVALID` when it does not have the expected form.
 */
export function readWheelLock(
  path: string | URL = new URL('../../wheels.lock.json', import.meta.url),
): WheelLock {
  const invalid = (detail: string): ProvisionError =>
    new ProvisionError('WHEEL_LOCK_INVALID', `${String(path)}: ${detail}`, 'restore it from git');
  const parsed = JSON.parse(readFileSync(path, 'utf8')) as {
    components?: Partial<Record<string, unknown>>;
  };
  const component = (name: ComponentName): [Wheel, ...Wheel[]] => {
    const wheels: unknown = parsed.components?.[name];
    if (!Array.isArray(wheels)) throw invalid(`components.${name} is no list`);
    const [first, ...others] = wheels.map((wheel: unknown, index) => {
      if (!isWheel(wheel)) throw invalid(`components.${name}[${index}] is no pinned wheel`);
      return wheel;
    });
    if (first === undefined) throw invalid(`components.${name} is empty`);
    return [first, ...others];
  };
  return {
    'tensorflow-cpu': component('tensorflow-cpu'),
    'tensorflow-gpu': component('tensorflow-gpu'),
    redis: component('redis'),
    zig: component('zig'),
  };
}

/** Short digest of a component's wheels: another pin is another directory of the cache. */
export function wheelsDigest(wheels: readonly Wheel[]): string {
  const hash = createHash('sha256');
  for (const wheel of wheels) hash.update(`${wheel.sha256}\n`);
  return hash.digest('hex').slice(0, 12);
}

function isWheel(value: unknown): value is Wheel {
  if (typeof value !== 'object' || value === null) return false;
  const wheel = value as Partial<Record<keyof Wheel, unknown>>;
  return (
    typeof wheel.distribution === 'string' &&
    typeof wheel.version === 'string' &&
    typeof wheel.file === 'string' &&
    /^[\w.-]+\.whl$/.test(wheel.file) &&
    typeof wheel.sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(wheel.sha256) &&
    Number.isSafeInteger(wheel.bytes)
  );
}
