import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireLock, optionsFromEnvironment } from '@skipring/provision';

const MODULE = dirname(fileURLToPath(import.meta.url));
const LOCK_DEADLINE_MS = 3_600_000;
const LIST_DEADLINE_MS = 600_000;
const PROGRESS_MS = 30_000;

/** By the name that each program gets. */
const CONTROL_PLANE = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const;
const KEDA = {
  'keda-operator': 'github.com/kedacore/keda/v2/cmd/operator',
  'keda-adapter': 'github.com/kedacore/keda/v2/cmd/adapter',
} as const;

const KEDA_MODULE = 'github.com/kedacore/keda/v2';
const PROMETHEUS_OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';

export type ControlPlanePrograms = Readonly<Record<keyof typeof CONTROL_PLANE, string>>;
export type KedaPrograms = Readonly<Record<keyof typeof KEDA, string>>;

/**
 * Paths of programs built from the Go module proxy, whose versions and checksums `go.mod` and
 * `go.sum` hold. They stay in Skipring's cache; the first build takes minutes.
 */
export const ensureControlPlane = (): Promise<ControlPlanePrograms> =>
  ensure('control-plane', CONTROL_PLANE);
export const ensureKeda = (): Promise<KedaPrograms> => ensure('keda', KEDA);

/** Directories of custom resource definitions: KEDA's and the Prometheus operator's. */
export async function crdDirectories(): Promise<string[]> {
  const keda = await go(['list', '-m', '-f', '{{.Dir}}', KEDA_MODULE]);
  const operator = JSON.parse(await go(['mod', 'download', '-json', PROMETHEUS_OPERATOR])) as {
    Dir: string;
  };
  return [
    join(keda.trim(), 'config/crd/bases'),
    join(operator.Dir, 'example/prometheus-operator-crd'),
  ];
}

async function ensure<Name extends string>(
  set: string,
  packages: Readonly<Record<Name, string>>,
): Promise<Readonly<Record<Name, string>>> {
  const { cacheDir } = optionsFromEnvironment(process.env);
  const directory = join(cacheDir, `${set}-${await fingerprint()}`);
  const names = Object.keys(packages) as Name[];
  await mkdir(join(cacheDir, 'locks'), { recursive: true });
  const lock = await acquireLock(join(cacheDir, 'locks', basename(directory)), {
    deadlineMs: LOCK_DEADLINE_MS,
  });
  try {
    if (!existsSync(directory)) await build(directory, packages);
  } finally {
    await lock.release();
  }
  const paths = names.map((name) => [name, join(directory, name)] as const);
  return Object.fromEntries(paths) as Record<Name, string>;
}

/** All into a directory beside the last one, which then gets its name: there are all or none. */
async function build(directory: string, packages: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const partial = await mkdtemp(`${directory}-partial-`);
  const startedAt = Date.now();
  const tell = (): void => {
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    process.stderr.write(`building ${Object.keys(packages).join(', ')}: ${seconds} s\n`);
  };
  tell();
  const timer = setInterval(tell, PROGRESS_MS);
  try {
    for (const [name, path] of Object.entries(packages)) {
      await go(['build', '-trimpath', '-ldflags=-s -w', '-o', join(partial, name), path]);
    }
    await rename(partial, directory);
  } finally {
    clearInterval(timer);
    await rm(partial, { recursive: true, force: true });
  }
}

/** Of the versions: others are built beside them. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum']) hash.update(await readFile(join(MODULE, name)));
  return hash.digest('hex').slice(0, 12);
}

/** Output of the `go` command. Throws with its messages. */
async function go(args: readonly string[]): Promise<string> {
  if (spawnSync('go', ['version'], { timeout: LIST_DEADLINE_MS }).status !== 0) {
    throw new Error('the program `go` is missing: Kubernetes is built with Go 1.26 or newer');
  }
  const child = spawn('go', args, {
    cwd: MODULE,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`go ${args.join(' ')}: exit status ${code}\n${errors}`);
  return output;
}
