import { randomBytes } from 'node:crypto';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { TracesTarget } from '@skipring/tracing';
import { STOP_DEADLINES_MS } from '@skipring/protocol';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);

const environmentSchema = z.object({
  SKIPRING_COORDINATOR_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:7400'),
  SKIPRING_JOIN_TOKEN: z.string().min(1).optional(),
  SKIPRING_WORKER_ID: z
    .string()
    .regex(
      /^[A-Za-z0-9._-]{1,64}$/,
      'expected 1 to 64 letters, digits, dots, dashes or underscores',
    )
    .optional(),
  SKIPRING_WORKER_HOST: z.string().min(1).max(255).default('127.0.0.1'),
  SKIPRING_HOST_LABEL: z.string().min(1).max(255).optional(),
  SKIPRING_RING_TLS_CERT: z.string().min(1).optional(),
  SKIPRING_RING_TLS_KEY: z.string().min(1).optional(),
  SKIPRING_RING_TLS_CA: z.string().min(1).optional(),
  SKIPRING_RING_LOCAL_SOCKETS: z.enum(['0', '1']).default('1'),
  SKIPRING_RING_SHARED_MEMORY: z.enum(['0', '1']).default('1'),
  SKIPRING_WORKER_RING_PORT: port.default(0),
  SKIPRING_WORKER_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  SKIPRING_WORKER_METRICS_PORT: port.default(0),
  SKIPRING_WORKER_THREADS: z.coerce.number().int().min(1).max(256).default(1),
  SKIPRING_WORKER_TF32: z.enum(['0', '1']).default('1'),
  SKIPRING_WORKER_GRACE_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(STOP_DEADLINES_MS.workerLeave),
  SKIPRING_DEVICE: z.enum(['auto', 'cpu', 'gpu']).default('auto'),
  CUDA_VISIBLE_DEVICES: z.string().optional(),
  SKIPRING_CACHE_DIR: z.string().min(1).optional(),
  XDG_CACHE_HOME: z.string().optional(),
  SKIPRING_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  SKIPRING_TRACES_URL: z.url({ protocol: /^https?$/ }).optional(),
  SKIPRING_TRACES_EVERY_STEPS: z.coerce.number().int().min(1).max(1_000_000).default(1),
  SKIPRING_OVERLAP: z.enum(['0', '1']).default('1'),
  SKIPRING_FAULTS: z.enum(['0', '1']).default('0'),
  SKIPRING_PARENT_PIPE: z.enum(['0', '1']).default('0'),
});

/** Paths of PEM files. */
export interface RingTlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** What a worker process is told from outside. */
export interface WorkerOptions {
  readonly coordinatorUrl: string;
  readonly joinToken: string | null;
  /** Identity that outlives a rank and a reconnection. */
  readonly workerId: string;
  /** Host name or address at which other workers reach this one's ring. */
  readonly advertisedHost: string;
  /** Workers of one label are neighbours in a ring. */
  readonly hostLabel: string;
  readonly ringPort: number;
  /** PEM files with which the ring speaks TLS; null: it does not. */
  readonly ringTls: RingTlsFiles | null;
  /** Whether workers on this machine are met over local sockets, where there are some. */
  readonly ringLocalSockets: boolean;
  readonly ringSharedMemory: boolean;
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** Intra-op threads of TensorFlow: part of what fixes the bits of a result. */
  readonly threads: number;
  /** Whether a GPU may multiply float32 values as TF32: of the same kind. */
  readonly tf32: boolean;
  /** From SIGTERM to the end: to finish the step, hand the lanes over, store the state if need be. */
  readonly graceMs: number;
  /** Whether the ring begins with what is computed while the rest is; decides no bit. */
  readonly overlaps: boolean;
  readonly device: 'auto' | 'cpu' | 'gpu';
  /** Devices that CUDA may use, as its own variable names them; null: all. */
  readonly visibleDevices: string | null;
  readonly cacheDirectory: string;
  readonly logLevel: string;
  /** Where the spans of steps go; null draws none. */
  readonly tracing: TracesTarget | null;
  /** Whether it brings about faults that the coordinator asks for. */
  readonly takesFaults: boolean;
  /** Exit when standard input closes: the launcher that started this process is gone. */
  readonly parentPipe: boolean;
}

/** The environment is not usable; `problems` has a line per variable. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
  readonly code = 'OPTIONS_INVALID';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** Turns the environment into validated, frozen options. Throws OptionsError with all problems. */
export function readOptions(environment: NodeJS.ProcessEnv): WorkerOptions {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    throw new OptionsError(
      parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        return `${name}=${JSON.stringify(environment[name] ?? null)}: ${issue.message}`;
      }),
    );
  }
  const values = parsed.data;
  const cacheHome = values.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return Object.freeze({
    coordinatorUrl: values.SKIPRING_COORDINATOR_URL.replace(/\/+$/, ''),
    joinToken: values.SKIPRING_JOIN_TOKEN ?? null,
    workerId:
      values.SKIPRING_WORKER_ID ?? `${hostname().slice(0, 40)}-${randomBytes(4).toString('hex')}`,
    advertisedHost: values.SKIPRING_WORKER_HOST,
    hostLabel: values.SKIPRING_HOST_LABEL ?? hostname(),
    ringPort: values.SKIPRING_WORKER_RING_PORT,
    ringTls: tlsFilesOf(values),
    ringLocalSockets: values.SKIPRING_RING_LOCAL_SOCKETS === '1',
    ringSharedMemory: values.SKIPRING_RING_SHARED_MEMORY === '1',
    metricsHost: values.SKIPRING_WORKER_METRICS_HOST,
    metricsPort: values.SKIPRING_WORKER_METRICS_PORT,
    threads: values.SKIPRING_WORKER_THREADS,
    tf32: values.SKIPRING_WORKER_TF32 === '1',
    graceMs: values.SKIPRING_WORKER_GRACE_MS,
    overlaps: values.SKIPRING_OVERLAP === '1',
    device: values.SKIPRING_DEVICE,
    visibleDevices: values.CUDA_VISIBLE_DEVICES ?? null,
    cacheDirectory: values.SKIPRING_CACHE_DIR ?? join(cacheHome, 'skipring'),
    logLevel: values.SKIPRING_LOG_LEVEL,
    tracing:
      values.SKIPRING_TRACES_URL === undefined
        ? null
        : { url: values.SKIPRING_TRACES_URL, everySteps: values.SKIPRING_TRACES_EVERY_STEPS },
    takesFaults: values.SKIPRING_FAULTS === '1',
    parentPipe: values.SKIPRING_PARENT_PIPE === '1',
  });
}

/** All three files or none. */
function tlsFilesOf({
  SKIPRING_RING_TLS_CERT: cert,
  SKIPRING_RING_TLS_KEY: key,
  SKIPRING_RING_TLS_CA: ca,
}: z.output<typeof environmentSchema>): RingTlsFiles | null {
  if (cert !== undefined && key !== undefined && ca !== undefined) return { cert, key, ca };
  const files = {
    SKIPRING_RING_TLS_CERT: cert,
    SKIPRING_RING_TLS_KEY: key,
    SKIPRING_RING_TLS_CA: ca,
  };
  const missing = Object.entries(files).flatMap(([name, file]) =>
    file === undefined ? [name] : [],
  );
  if (missing.length === 3) return null;
  throw new OptionsError(
    missing.map(
      (name) => `${name}=null: expected a file, as other SKIPRING_RING_TLS_ files are set`,
    ),
  );
}
