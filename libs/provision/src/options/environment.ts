import { tmpdir, userInfo } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProvisionError } from '../errors.js';
import type { DeviceChoice, IndexOptions, ProvisionOptions } from './options.js';
import { readPipConfig, type PipConfig } from './pip-config.js';

/** The variables of a process, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_INDEX_URL = 'https://pypi.org/simple/';

/** Bundles in which Linux distributions keep the certificates that the machine trusts. */
const SYSTEM_CA_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];
const CA_VARIABLES = [
  'PIP_CERT',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'NODE_EXTRA_CA_CERTS',
];

/**
 * Turns a process's variables into validated, frozen options. It reads no variable but those given,
 * and of the disk only pip's configuration files.
 *
 * @throws ProvisionError `OPTIONS_INVALID` when a variable holds a value that cannot be used.
 */
export function optionsFromEnvironment(env: Environment): ProvisionOptions {
  return Object.freeze({
    cacheDir: cacheDirectory(env),
    packageRoot: resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..'),
    device: deviceChoice(env.SKIPRING_DEVICE),
    index: indexOptions(env, readPipConfig(homeDirectory(env), env.PIP_CONFIG_FILE)),
    searchPath: Object.freeze((env.PATH ?? '').split(delimiter).filter((dir) => isAbsolute(dir))),
    useSystemCompiler: compilerChoice(env.SKIPRING_COMPILER) === 'auto',
  });
}

/** `SKIPRING_CACHE_DIR`, else the user's cache directory, else one in the temporary directory. */
export function cacheDirectory(env: Environment): string {
  const chosen = env.SKIPRING_CACHE_DIR;
  if (chosen) return resolve(chosen);
  const xdg = env.XDG_CACHE_HOME;
  // The XDG specification says that a relative path is to be ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, 'skipring');
  const home = homeDirectory(env);
  if (home) return join(home, '.cache', 'skipring');
  return join(tmpdir(), `skipring-cache-${process.getuid?.() ?? 'user'}`);
}

function homeDirectory(env: Environment): string | undefined {
  const home = env.HOME;
  if (home && isAbsolute(home)) return home;
  try {
    const known = userInfo().homedir;
    // System accounts name a directory that is not theirs, such as `/` or `/nonexistent`.
    return known === '/' || known.startsWith('/nonexistent') ? undefined : known;
  } catch {
    return undefined;
  }
}

function deviceChoice(value: string | undefined): DeviceChoice {
  if (!value) return 'auto';
  if (value === 'auto' || value === 'cpu' || value === 'gpu') return value;
  throw invalid('SKIPRING_DEVICE', value, 'auto, cpu or gpu');
}

function compilerChoice(value: string | undefined): 'auto' | 'provisioned' {
  if (!value) return 'auto';
  if (value === 'auto' || value === 'provisioned') return value;
  throw invalid('SKIPRING_COMPILER', value, 'auto or provisioned');
}

function indexOptions(env: Environment, pip: PipConfig): IndexOptions {
  const indexUrls = [
    firstSet(env.PIP_INDEX_URL, pip['index-url']) ?? DEFAULT_INDEX_URL,
    ...words(firstSet(env.PIP_EXTRA_INDEX_URL, pip['extra-index-url'])),
  ].map(indexUrl);
  const caFiles = [...CA_VARIABLES.map((name) => env[name]), pip.cert, ...SYSTEM_CA_FILES];
  const proxyUrl = firstSet(
    env.PIP_PROXY,
    pip.proxy,
    env.HTTPS_PROXY,
    env.https_proxy,
    env.ALL_PROXY,
  );
  return Object.freeze({
    indexUrls: Object.freeze(indexUrls),
    wheelDirs: Object.freeze(
      words(firstSet(env.PIP_FIND_LINKS, pip['find-links'])).filter((link) => isAbsolute(link)),
    ),
    caFiles: Object.freeze(caFiles.filter(isSet)),
    ...(proxyUrl === undefined ? {} : { proxyUrl: webUrl('HTTPS_PROXY', proxyUrl) }),
    noProxy: Object.freeze(
      (firstSet(env.NO_PROXY, env.no_proxy) ?? '').split(/[\s,]+/).filter(isSet),
    ),
    stallMs: 30_000,
    maxAttempts: 6,
    backoffMs: 500,
  });
}

/** An empty variable counts as unset. */
function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function firstSet(...values: readonly (string | undefined)[]): string | undefined {
  return values.find(isSet);
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter(isSet);
}

function indexUrl(text: string): string {
  const url = webUrl('PIP_INDEX_URL', text);
  return url.endsWith('/') ? url : `${url}/`;
}

function webUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href;
  throw invalid(name, text, 'an http: or https: URL');
}

function invalid(name: string, value: string, expected: string): ProvisionError {
  return new ProvisionError(
    'OPTIONS_INVALID',
    `${name} is '${value}'; expected ${expected}`,
    `correct ${name} or unset it`,
  );
}
