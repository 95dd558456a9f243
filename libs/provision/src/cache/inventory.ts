import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnpackedFile } from './unpack.js';
import type { Wheel } from './wheel-lock.js';

/** The directory, in that of a component, with one inventory per unpacked wheel. */
export const INVENTORIES = '.unpacked';

function inventoryPath(directory: string, wheel: Wheel): string {
  return join(directory, INVENTORIES, `${wheel.sha256}.json`);
}

/** Notes that `wheel` is unpacked in `directory`, and what it consists of. */
export async function writeInventory(
  directory: string,
  wheel: Wheel,
  files: readonly UnpackedFile[],
): Promise<void> {
  await writeFile(inventoryPath(directory, wheel), JSON.stringify(files));
}

/**
 * What is wrong with the unpacked `wheel` in `directory`: a file that is gone or has another length,
 * as programs that clean up and full disks leave it. `undefined` when nothing is. Looks at no
 * content, so that it takes milliseconds.
 */
export async function findDamage(directory: string, wheel: Wheel): Promise<string | undefined> {
  const files = await readInventory(directory, wheel);
  if (files === undefined) return `${wheel.file} is not unpacked`;
  const lengths = await Promise.all(
    files.map(({ path }) =>
      stat(join(directory, path)).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  const index = files.findIndex(({ bytes }, i) => bytes !== lengths[i]);
  const bad = files[index];
  if (bad === undefined) return undefined;
  return `${bad.path} ${lengths[index] === undefined ? 'is missing' : `has ${lengths[index]} of ${bad.bytes} bytes`}`;
}

async function readInventory(
  directory: string,
  wheel: Wheel,
): Promise<readonly UnpackedFile[] | undefined> {
  try {
    const files: unknown = JSON.parse(await readFile(inventoryPath(directory, wheel), 'utf8'));
    return Array.isArray(files) ? (files as UnpackedFile[]) : undefined;
  } catch {
    return undefined;
  }
}
