import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { contextOf, readContexts } from './contexts.js';
import { CommandError, EXIT } from './exit-codes.js';
import type { CliEnvironment } from './options.js';

const endpointSchema = z.strictObject({
  url: z.url(),
  token: z.string().nullable(),
  /** Process id of the `skipring up` that serves it. */
  pid: z.int(),
});
export type Endpoint = z.output<typeof endpointSchema>;

const fileName = 'endpoint.json';

/**
 * Where the coordinator is and what to say to it: flags, then environment, then the context in use,
 * then `skipring up`.
 */
export async function findEndpoint(
  environment: CliEnvironment,
  flags: { url?: string; token?: string; context?: string },
  dataDirectory: string,
): Promise<{ url: string; token: string | null }> {
  const url = flags.url ?? environment.url;
  const token = flags.token ?? environment.token;
  if (url !== null) {
    const source = flags.url === undefined ? 'SKIPRING_URL' : '--url';
    requireUrl(source, url);
    return { url, token };
  }
  const contexts = await readContexts(environment.contextsFile);
  const name = flags.context ?? contexts.current;
  if (name !== null) {
    const context = contextOf(contexts, name);
    return { url: context.url, token: token ?? context.token };
  }
  const found = await readEndpoint(dataDirectory);
  if (found === null) {
    throw new CommandError(
      EXIT.connection,
      `no coordinator is running in ${dataDirectory}`,
      'start one with `skipring up`, or name one with --url and --token or `skipring context add`',
    );
  }
  return { url: found.url, token: token ?? found.token };
}

/** Throws CommandError `usage` for what is no address. */
export function requireUrl(source: string, url: string): void {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return;
  throw new CommandError(
    EXIT.usage,
    `${source} ${url}: expected an address such as http://127.0.0.1:7400`,
  );
}

/** The endpoint that a running `skipring up` left; null when there is none. */
export async function readEndpoint(dataDirectory: string): Promise<Endpoint | null> {
  try {
    const text = await readFile(join(dataDirectory, fileName), 'utf8');
    const endpoint = endpointSchema.parse(JSON.parse(text));
    return isAlive(endpoint.pid) ? endpoint : null;
  } catch {
    return null;
  }
}

/** The file holds a token: only its owner may read it. */
export async function writeEndpoint(dataDirectory: string, endpoint: Endpoint): Promise<void> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const path = join(dataDirectory, fileName);
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(endpoint), { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

export async function removeEndpoint(dataDirectory: string): Promise<void> {
  await rm(join(dataDirectory, fileName), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
