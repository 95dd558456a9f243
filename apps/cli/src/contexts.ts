import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CommandError, EXIT } from './exit-codes.js';
import { systemReason } from './system-reason.js';

const nameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
const contextSchema = z.strictObject({ url: z.url(), token: z.string().nullable() });
const fileSchema = z.strictObject({
  /** Name of the context in use; null: the running `skipring up`. */
  current: z.string().nullable(),
  contexts: z.record(nameSchema, contextSchema),
});
export type Contexts = z.output<typeof fileSchema>;

const EMPTY: Contexts = { current: null, contexts: {} };

/** The clusters that a user knows, by name. Throws CommandError `usage` for a file that is none. */
export async function readContexts(path: string): Promise<Contexts> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY;
    throw new CommandError(EXIT.usage, `cannot read ${path}: ${systemReason(error)}`);
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    const hint = 'remove the file, and add the contexts again with: skipring context add';
    throw new CommandError(EXIT.usage, `${path} is no file of contexts`, hint, { cause });
  }
}

/** The file holds tokens: only its owner may read it. */
export async function writeContexts(path: string, contexts: Contexts): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

/** Throws CommandError `usage`. */
export function checkContextName(name: string): string {
  if (nameSchema.safeParse(name).success) return name;
  throw new CommandError(
    EXIT.usage,
    `context ${name}: expected a name of letters, digits, dots, dashes and underscores`,
  );
}

/** Throws CommandError `usage` when there is no context of this name. */
export function contextOf(
  { contexts }: Contexts,
  name: string,
): { url: string; token: string | null } {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  throw new CommandError(EXIT.usage, `there is no context ${name}`, 'skipring context list');
}
