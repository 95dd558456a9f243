import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/until.js';

/** What an image says of how it is to be run. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Volumes: Readonly<Record<string, object>>;
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

export interface RunOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** Directories of this machine, by their path in the container. */
  readonly volumes: Readonly<Record<string, string>>;
}

/** Built by buildah, or null. */
export function builtImages(): string[] {
  const { status, stdout } = spawnSync('buildah', ['images', '--format', '{{.Name}}:{{.Tag}}'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.split('\n') : [];
}

/**
 * An image's files as a root directory that a process is put into, with namespaces of its own for mounts
 * and processes: what a container engine does, but for the network, which is the machine's.
 */
export class ImageRoot {
  private constructor(
    private readonly container: string,
    readonly path: string,
    readonly config: ImageConfig,
    readonly sizeBytes: number,
  ) {}

  static open(image: string): ImageRoot {
    const inspected = JSON.parse(buildah('inspect', '--type', 'image', image)) as {
      Docker: { config: ImageConfig };
    };
    const container = buildah('from', image);
    const path = buildah('mount', container);
    const sizeBytes = Number(run('du', ['-sxB1', path]).split('\t')[0]);
    return new ImageRoot(container, path, inspected.Docker.config, sizeBytes);
  }

  close(): void {
    buildah('umount', this.container);
    buildah('rm', this.container);
  }

  /** The image's own process, or another command in its place, as its user, on a read-only root. */
  start(options: RunOptions, command?: readonly string[]): ContainedProcess {
    const { Entrypoint, Cmd, Env, User, WorkingDir } = this.config;
    const environment = { ...Object.fromEntries(Env.map(pair)), ...options.environment };
    const script = [
      'set -e',
      'mount --bind "$ROOT" "$ROOT"',
      'mount -t proc proc "$ROOT/proc"',
      'mount --rbind /dev "$ROOT/dev"',
      'mount -t tmpfs tmpfs "$ROOT/tmp"',
      ...Object.entries(options.volumes).map(([inside, outside]) => {
        mkdirSync(join(this.path, inside), { recursive: true });
        return `mount --bind '${outside}' "$ROOT${inside}"`;
      }),
      'mount -o remount,bind,ro "$ROOT"',
      'exec env -i $GIVEN chroot --userspec="$USERSPEC" "$ROOT" sh -c \'cd "$0" && exec "$@"\' "$DIRECTORY" "$@"',
    ].join('\n');
    const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const child = spawn(
      'unshare',
      [
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        'sh',
        '-c',
        script,
        'sh',
        ...Entrypoint,
        ...(command ?? Cmd),
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          ROOT: this.path,
          USERSPEC: User,
          DIRECTORY: WorkingDir,
          // No value of these tests has white space.
          GIVEN: assignments.join(' '),
        },
      },
    );
    return new ContainedProcess(child);
  }
}

/** A process of an image; number 1 of its own process namespace. */
export class ContainedProcess {
  output = '';

  constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** Exit status when it has ended. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const [code] = (await once(this.child, 'close')) as [number | null];
    return code;
  }

  /** SIGTERM to process 1, as a container engine stops it. Resolves with the exit status. */
  async stop(): Promise<number | null> {
    const pid = await until('process 1 has started', () => this.firstPid());
    const ended = this.ended();
    process.kill(pid, 'SIGTERM');
    return ended;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** As this machine numbers it. */
  private firstPid(): number | null {
    const { pid } = this.child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? null : Number(children.split(' ')[0]);
  }
}

function buildah(...args: string[]): string {
  return run('buildah', args);
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: status ${status}\n${stderr}`);
  return stdout.trim();
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
