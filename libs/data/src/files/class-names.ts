import { open } from 'node:fs/promises';
import { DataError } from '../error.js';
import type { ReadLimits } from './limits.js';
import { findFile } from './paths.js';

const MAX_FILE_BYTES = 16 * 2 ** 20;
const MAX_NAME_LENGTH = 200;

/**
 * Class names from a text file, one a line in label order; undefined where there is no such file.
 *
 * @throws DataError INVALID_CLASS_NAME, TOO_FEW_CLASSES, TOO_MANY_CLASSES, TOO_LARGE
 */
export async function readClassNames(
  directory: string,
  fileName: string,
  limits: ReadLimits,
): Promise<string[] | undefined> {
  const file = await findFile(directory, fileName);
  if (file === undefined) return undefined;
  const lines = (await readText(file)).split('\n').map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  checkClassNames(lines, file, limits);
  return lines;
}

/** Throws DataError unless there are 2 or more distinct names of 1 to 200 characters. */
export function checkClassNames(names: readonly string[], file: string, limits: ReadLimits): void {
  if (names.length < 2) {
    throw new DataError('TOO_FEW_CLASSES', `has ${names.length} classes; expected at least 2`, {
      file,
    });
  }
  if (names.length > limits.classes) {
    const message = `has ${names.length} classes; expected at most ${limits.classes}`;
    throw new DataError('TOO_MANY_CLASSES', message, { file });
  }
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name === '' || name.length > MAX_NAME_LENGTH || seen.has(name)) {
      throw new DataError(
        'INVALID_CLASS_NAME',
        `class ${index} is named ${JSON.stringify(name.slice(0, MAX_NAME_LENGTH))}; ` +
          `expected a distinct name of 1 to ${MAX_NAME_LENGTH} characters`,
        { file },
      );
    }
    seen.add(name);
  }
}

async function readText(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) {
      throw new DataError('TOO_LARGE', `has ${size} bytes; expected at most ${MAX_FILE_BYTES}`, {
        file,
      });
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
