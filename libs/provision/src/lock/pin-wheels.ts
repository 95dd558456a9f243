import type { Wheel, WheelLock } from '../cache/wheel-lock.js';
import { ProvisionError } from '../errors.js';
import type { IndexFile } from '../fetch/index-page.js';

/** Gives the files that the index offers for a distribution. */
export type ProjectPage = (distribution: string) => Promise<readonly IndexFile[]>;

/**
 * The lock with the wanted versions, pinned by the SHA-256 and size that the index states now. A
 * version that stays keeps its pin: what is offered for it must still be the same bytes.
 *
 * @param versions wanted version by distribution; the others keep theirs.
 * @throws ProvisionError `OPTIONS_INVALID` for a distribution that the lock does not have,
 * `WHEEL_NOT_FOUND` when the index has no fitting wheel or several, or states no hash or size,
 * `HASH_MISMATCH` when it offers other bytes for a version that stays.
 */
export async function pinWheels(
  lock: WheelLock,
  versions: ReadonlyMap<string, string>,
  projectPage: ProjectPage,
): Promise<WheelLock> {
  const known = new Set(Object.values(lock).flatMap((wheels) => wheels.map(distributionOf)));
  for (const distribution of versions.keys()) {
    if (known.has(distribution)) continue;
    throw new ProvisionError(
      'OPTIONS_INVALID',
      `no wheel of '${distribution}' is pinned; expected one of ${[...known].join(', ')}`,
      'correct the name, or add the wheel to wheels.lock.json by hand',
    );
  }
  const pin = async (wheel: Wheel): Promise<Wheel> => {
    const version = versions.get(wheel.distribution) ?? wheel.version;
    return pinned(wheel, version, await projectPage(wheel.distribution));
  };
  const pinAll = async ([first, ...others]: WheelLock[keyof WheelLock]): Promise<
    [Wheel, ...Wheel[]]
  > => [await pin(first), ...(await Promise.all(others.map(pin)))];
  return {
    'tensorflow-cpu': await pinAll(lock['tensorflow-cpu']),
    'tensorflow-gpu': await pinAll(lock['tensorflow-gpu']),
    redis: await pinAll(lock.redis),
    zig: await pinAll(lock.zig),
  };
}

function distributionOf({ distribution }: Wheel): string {
  return distribution;
}

function pinned(wheel: Wheel, version: string, files: readonly IndexFile[]): Wheel {
  const { fileName, sha256, bytes } = offered(wheel, version, files);
  if (sha256 === undefined || bytes === undefined) {
    throw new ProvisionError(
      'WHEEL_NOT_FOUND',
      `the index states no SHA-256 or no size for ${fileName}`,
      'set PIP_INDEX_URL to an index that answers in JSON (PEP 691, PEP 700)',
    );
  }
  if (version === wheel.version && (sha256 !== wheel.sha256 || bytes !== wheel.bytes)) {
    throw new ProvisionError(
      'HASH_MISMATCH',
      `the index offers other bytes for ${fileName}: SHA-256 ${sha256}, ${bytes} bytes; pinned are ${wheel.sha256}, ${wheel.bytes} bytes`,
      'a published file does not change: set PIP_INDEX_URL to an index you trust',
    );
  }
  return { distribution: wheel.distribution, version, file: fileName, sha256, bytes };
}

/**
 * The one file of `version` for the same Python and for glibc on x86-64; of several the one with the
 * same platform tags (PEP 427: name-version(-build)-python-abi-platform.whl).
 */
function offered(wheel: Wheel, version: string, files: readonly IndexFile[]): IndexFile {
  if (version === wheel.version) {
    const same = files.find(({ fileName }) => fileName === wheel.file);
    if (same) return same;
  }
  const tags = tagsOf(wheel.file);
  const fitting = files.filter(({ fileName }) => {
    const own = tagsOf(fileName);
    return (
      fileName.endsWith('.whl') &&
      own.version === version &&
      own.python === tags.python &&
      own.abi === tags.abi &&
      /manylinux\w*x86_64/.test(own.platform)
    );
  });
  const alike = fitting.filter(({ fileName }) => tagsOf(fileName).platform === tags.platform);
  const [only, ...others] = alike.length > 0 ? alike : fitting;
  if (only !== undefined && others.length === 0) return only;
  const names = fitting.map(({ fileName }) => fileName).join(', ');
  throw new ProvisionError(
    'WHEEL_NOT_FOUND',
    `the index offers ${names === '' ? 'no wheel' : `several wheels (${names})`} of ${wheel.distribution} ${version} for ${tags.python}-${tags.abi} on x86-64 Linux`,
    'check the version, or pin the wheel in wheels.lock.json by hand',
  );
}

function tagsOf(fileName: string): Record<'version' | 'python' | 'abi' | 'platform', string> {
  const parts = fileName.replace(/\.whl$/, '').split('-');
  const [python = '', abi = '', platform = ''] = parts.slice(-3);
  return { version: parts[1] ?? '', python, abi, platform };
}
