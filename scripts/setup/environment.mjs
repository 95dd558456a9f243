import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

/** Where Linux distributions keep the certificates that the machine trusts. */
const SYSTEM_CA_FILES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/**
 * The environment of the steps: `env`, plus what they cannot do without. Node.js itself is on PATH,
 * HOME is a directory that can be written, and npm trusts the certificates that the machine trusts.
 */
export function childEnvironment(env) {
  const PATH = [...(env.PATH ?? '').split(delimiter), dirname(process.execPath)];
  const caFile = env.NODE_EXTRA_CA_CERTS || SYSTEM_CA_FILES.find((file) => existsSync(file));
  return {
    ...env,
    PATH: PATH.filter((directory) => directory !== '').join(delimiter),
    HOME: usableHome(env),
    ...(caFile ? { NODE_EXTRA_CA_CERTS: caFile } : {}),
  };
}

function usableHome(env) {
  const home = [env.HOME, accountHome()].find(isWritableDirectory);
  if (home !== undefined) return home;
  const user = process.getuid?.() ?? 'user';
  const fallback = join(env.SKIPRING_CACHE_DIR || join(tmpdir(), `skipring-cache-${user}`), 'home');
  mkdirSync(fallback, { recursive: true });
  return fallback;
}

function accountHome() {
  try {
    return userInfo().homedir;
  } catch {
    // A container may run under a user number that no account has.
    return undefined;
  }
}

function isWritableDirectory(path) {
  if (!path || !isAbsolute(path) || path === '/') return false;
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
