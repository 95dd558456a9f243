import { spawnSync } from 'node:child_process';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL_DEADLINE_MS = 300_000;

/** What a browser under test is started with: no sandbox for root, and nothing that goes outside. */
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A Chromium of this machine; where there is none and packages may be installed, Debian's. A browser
 * needs many libraries beside it, so it cannot be unpacked on its own as other programs are.
 *
 * @returns the program, or why there is none
 */
export function ensureChromium(): { readonly program: string } | { readonly missing: string } {
  const found = findProgram();
  if (found !== undefined) return { program: found };
  if (process.getuid?.() !== 0 || !runs('apt-get', ['--version'])) {
    return { missing: 'no Chromium is on PATH, and only root on Debian could install it' };
  }
  const install = [
    'install',
    '-y',
    '-qq',
    '--no-install-recommends',
    'chromium',
    'fonts-dejavu-core',
  ];
  // The lists of packages may be empty, as in fresh containers.
  if (!runs('apt-get', install)) {
    runs('apt-get', ['update', '-qq']);
    runs('apt-get', install);
  }
  const installed = findProgram();
  return installed === undefined
    ? { missing: 'no Chromium is on PATH, and apt-get could not install it' }
    : { program: installed };
}

function findProgram(): string | undefined {
  return PROGRAMS.find((program) => runs(program, ['--version', '--no-sandbox']));
}

function runs(program: string, args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { timeout: INSTALL_DEADLINE_MS, stdio: 'ignore', env } as const;
  return spawnSync(program, args, options).status === 0;
}
