import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

type Variables = Record<string, string | undefined>;

/** The scripts run before anything is built, so they are plain JavaScript without declarations. */
async function load<T>(name: string): Promise<T> {
  const url = new URL(`../../../scripts/setup/${name}.mjs`, import.meta.url).href;
  return (await import(/* @vite-ignore */ url)) as T;
}
const { installPackages, outdatedReason, findNpm } = await load<{
  installPackages: (
    root: string,
    env: Variables,
    say: (text: string) => void,
    options?: { statfs: () => { bavail: number; bsize: number } },
  ) => Promise<void>;
  outdatedReason: (root: string) => string | undefined;
  findNpm: (env: Variables) => string | undefined;
}>('packages');
const { childEnvironment } = await load<{ childEnvironment: (env: Variables) => Variables }>(
  'environment',
);
const { unsupportedReason } = await load<{
  unsupportedReason: (machine?: object) => string | undefined;
}>('machine');
const { runStep } = await load<{
  runStep: (name: string, args: string[], options: object) => Promise<void>;
}>('step');
const { withCheckoutLock } = await load<{
  withCheckoutLock: <T>(root: string, onWait: () => void, body: () => Promise<T>) => Promise<T>;
}>('lock');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skipring-setup-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('outdatedReason', () => {
  const write = async (path: string, packages: object): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), JSON.stringify({ packages }));
  };
  const installed = (packages: object) => write('node_modules/.package-lock.json', packages);
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  beforeEach(() =>
    write('package-lock.json', {
      '': { name: 'root' },
      'node_modules/a': a,
      'node_modules/other-platform': { version: '1.0.0', optional: true },
      'node_modules/@skipring/x': { resolved: 'libs/x', link: true },
    }),
  );

  it('is satisfied with what the lock asks for, without packages for other platforms', async () => {
    expect(outdatedReason(root)).toBe('none are installed');
    await installed({ 'node_modules/a': a, 'node_modules/@skipring/x': { link: true } });
    expect(outdatedReason(root)).toBeUndefined();
  });

  it('names the package that differs', async () => {
    await installed({ 'node_modules/@skipring/x': { link: true } });
    expect(outdatedReason(root)).toContain('node_modules/a is missing');
    await installed({
      'node_modules/a': { ...a, version: '1.0.1' },
      'node_modules/@skipring/x': { link: true },
    });
    expect(outdatedReason(root)).toContain('node_modules/a has another version');
  });
});

describe('installPackages', () => {
  const lock = { packages: { 'node_modules/a': { version: '1.0.0' } } };
  const said: string[] = [];
  const install = async (npmProgram: string): Promise<void> => {
    const npm = join(root, 'npm-cli.js');
    await writeFile(npm, npmProgram);
    await installPackages(root, { npm_execpath: npm }, (text) => said.push(text));
  };

  beforeEach(async () => {
    said.length = 0;
    await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock));
  });

  it('is content when npm has installed what the lock asks for, and then runs npm no more', async () => {
    await install(`const fs = require('node:fs'); fs.mkdirSync('node_modules');
      fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');`);
    expect(said).toEqual(['installing npm packages (none are installed)']);
    await install('process.exit(1)');
    expect(said).toHaveLength(1);
  });

  it('does not believe an npm that ends with status 0 and has installed nothing', async () => {
    await expect(install('')).rejects.toMatchObject({
      name: 'StepError',
      exitCode: 1,
      message: expect.stringMatching(/none are installed[^]*what to do/) as string,
    });
  });

  it('says what to do when npm fails, and passes its status on', async () => {
    await expect(install('process.exit(228)')).rejects.toMatchObject({
      name: 'StepError',
      exitCode: 228,
      message: expect.stringMatching(/npm ci failed[^]*https-proxy/) as string,
    });
  });

  it('does not begin on a disk that is too small', async () => {
    const npm = join(root, 'npm-cli.js');
    await writeFile(npm, 'require("node:fs").writeFileSync("began", "")');
    const statfs = () => ({ bavail: 1000, bsize: 4096 });
    await expect(
      installPackages(root, { npm_execpath: npm }, () => undefined, { statfs }),
    ).rejects.toMatchObject({
      name: 'StepError',
      message: expect.stringMatching(/need 700 MB .* has 4 MB left: free some space/) as string,
    });
    expect(existsSync(join(root, 'began'))).toBe(false);
  });

  it('gives no advice when it is interrupted', async () => {
    await expect(install("process.kill(process.pid, 'SIGINT')")).rejects.toMatchObject({
      exitCode: 130,
      message: 'npm ci was interrupted (SIGINT)',
    });
  });
});

describe('findNpm', () => {
  it('takes the npm that runs us', async () => {
    const npm = join(root, 'npm-cli.js');
    await writeFile(npm, '');
    expect(findNpm({ npm_execpath: npm })).toBe(npm);
    expect(findNpm({ npm_execpath: join(root, 'yarn.js') })).not.toBe(join(root, 'yarn.js'));
  });
});

describe('childEnvironment', () => {
  it('puts Node.js on an empty PATH and keeps a HOME that can be written', () => {
    const env = childEnvironment({ PATH: '', HOME: root });
    expect(env.PATH).toBe(dirname(process.execPath));
    expect(env.HOME).toBe(root);
  });

  it('keeps the certificates that were chosen', () => {
    const env = childEnvironment({ NODE_EXTRA_CA_CERTS: '/mine.pem', HOME: root });
    expect(env.NODE_EXTRA_CA_CERTS).toBe('/mine.pem');
  });
});

describe('unsupportedReason', () => {
  it('says what to do on musl, other architectures and old versions of Node.js', () => {
    expect(unsupportedReason()).toBeUndefined();
    expect(unsupportedReason({ glibcVersion: () => undefined })).toContain('node:22-slim');
    expect(unsupportedReason({ arch: 'arm64' })).toContain('x86-64');
    expect(unsupportedReason({ version: '18.20.0' })).toContain('20.19');
    expect(unsupportedReason({ platform: 'win32' })).toContain('WSL 2');
  });
});

describe('runStep', () => {
  const options = { cwd: tmpdir(), env: {} };

  it('passes a failure on', async () => {
    await runStep('fine', ['-e', ''], options);
    await expect(runStep('bad', ['-e', 'process.exit(7)'], options)).rejects.toMatchObject({
      name: 'StepError',
      exitCode: 7,
    });
  });

  it('ends the step, then itself, when it is interrupted', async () => {
    const url = new URL('../../../scripts/setup/step.mjs', import.meta.url).href;
    const step = `process.on('SIGTERM', () => { console.error('step ends'); process.exit(0); });
      setInterval(() => {}, 1000); console.error('step runs');`;
    const script = `const { runStep } = await import(${JSON.stringify(url)});
      await runStep('slow', ['-e', process.argv[1]], { env: {} })
        .catch((error) => process.exit(error.exitCode));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, step], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (text.includes('step runs')) child.kill('SIGTERM');
    });
    const [status] = (await once(child, 'close')) as [number];
    expect(status).toBe(143);
    expect(output).toContain('step ends');
  });
});

describe('withCheckoutLock', () => {
  it('lets one set-up of a checkout run at a time', async () => {
    let numInside = 0;
    let maxInside = 0;
    let numWaits = 0;
    const body = async (): Promise<void> => {
      numInside += 1;
      maxInside = Math.max(maxInside, numInside);
      await new Promise((resolve) => setTimeout(resolve, 10));
      numInside -= 1;
    };
    const onWait = (): void => {
      numWaits += 1;
    };
    await Promise.all([1, 2, 3].map(() => withCheckoutLock(root, onWait, body)));
    expect(maxInside).toBe(1);
    expect(numWaits).toBe(2);
  });

  it('is free again when its holder is killed', async () => {
    const url = new URL('../../../scripts/setup/lock.mjs', import.meta.url).href;
    const script = `const { withCheckoutLock } = await import(${JSON.stringify(url)});
      await withCheckoutLock(process.argv[1], () => {}, () => {
        console.log('held'); return new Promise((resolve) => setTimeout(resolve, 60_000)); });`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    const waiting = withCheckoutLock(
      root,
      () => holder.kill('SIGKILL'),
      () => Promise.resolve('taken'),
    );
    expect(await waiting).toBe('taken');
  });
});
