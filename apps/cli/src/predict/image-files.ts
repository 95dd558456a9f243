import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, EXIT } from '../exit-codes.js';
import { systemReason } from '../system-reason.js';

const IMAGE_NAME = /\.(png|jpe?g)$/i;

/** Image files: those given, and those in the folders given, at any depth, sorted by name. */
export async function imageFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if ((await stat(path)).isDirectory()) files.push(...(await filesIn(path)));
      else files.push(path);
    } catch (cause) {
      throw new CommandError(EXIT.usage, `${path}: ${systemReason(cause)}`, null, { cause });
    }
  }
  if (files.length > 0) return files;
  throw new CommandError(EXIT.usage, `${paths.join(', ')}: no .png, .jpg or .jpeg files`);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && IMAGE_NAME.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
