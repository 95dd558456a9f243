import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { CheckpointError, parseS3Url, type S3Options } from '@skipring/checkpoint';
import {
  DEFAULT_PORT,
  MAX_EXCHANGE_LIMIT_BYTES,
  MAX_SEGMENT_BYTES,
  MIN_SEGMENT_BYTES,
  type RingSettings,
} from '@skipring/protocol';
import type { TracesTarget } from '@skipring/tracing';
import { z } from 'zod';
import { builtConsole } from './console/built-console.js';

const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const token = z.string().min(16, 'expected at least 16 characters').max(512).regex(/^\S+$/);

const origin = z
  .url({ protocol: /^https?$/ })
  .refine((text) => URL.canParse(text) && new URL(text).origin === text, {
    message: 'expected origins such as https://console.example.org, separated by commas',
  });
const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const environmentSchema = z.object({
  SKIPRING_HOST: z.string().min(1).max(255).default('127.0.0.1'),
  SKIPRING_PORT: integer(0, 65_535).default(DEFAULT_PORT),
  SKIPRING_DATA_DIR: z.string().min(1).optional(),
  SKIPRING_DATA_ROOTS: z.string().default(''),
  SKIPRING_CORS_ORIGINS: z.string().default('').transform(listOf).pipe(z.array(origin).max(64)),
  SKIPRING_API_TOKEN: token.optional(),
  SKIPRING_JOIN_TOKEN: token.optional(),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'expected redis://HOST:PORT' })
    .default('redis://127.0.0.1:6379'),
  SKIPRING_KEY_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 letters, digits, dashes or underscores')
    .default('skipring'),
  SKIPRING_HEARTBEAT_INTERVAL_MS: integer(50, 60_000).default(1_000),
  SKIPRING_HEARTBEAT_TIMEOUT_MS: integer(200, 600_000).default(5_000),
  SKIPRING_MAX_WORKERS: integer(0, 4_096).default(1_024),
  SKIPRING_MAX_CHECKPOINT_MB: integer(1, 65_536).default(4_096),
  SKIPRING_CHECKPOINTS: z.string().min(1).optional(),
  SKIPRING_S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  SKIPRING_S3_REGION: z.string().min(1).max(64).default('us-east-1'),
  SKIPRING_S3_ACCESS_KEY_ID: z.string().min(1).max(128).optional(),
  SKIPRING_S3_SECRET_ACCESS_KEY: z.string().min(1).max(512).optional(),
  SKIPRING_MAX_EVENT_STREAMS: integer(1, 65_536).default(1_024),
  SKIPRING_WEBHOOKS_PRIVATE: z.enum(['0', '1']).default('0'),
  SKIPRING_COMPUTE_SILENCE_MS: integer(1_000, 3_600_000).default(60_000),
  SKIPRING_RING_EXCHANGE_LIMIT_BYTES: integer(0, MAX_EXCHANGE_LIMIT_BYTES).optional(),
  SKIPRING_RING_SEGMENT_BYTES: integer(MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES).optional(),
  SKIPRING_FAULTS: z.enum(['0', '1']).default('0'),
  SKIPRING_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  SKIPRING_TRACES_URL: z.url({ protocol: /^https?$/ }).optional(),
  SKIPRING_TRACES_EVERY_STEPS: integer(1, 1_000_000).default(1),
  SKIPRING_PARENT_PIPE: z.enum(['0', '1']).default('0'),
  XDG_DATA_HOME: z.string().optional(),
});

/** What the coordinator is told from outside. */
export interface CoordinatorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Prepared data sets, and checkpoints unless they have a place of their own. */
  readonly dataDirectory: string;
  /** Where checkpoints lie: a directory or an object store; null: in the data directory. */
  readonly checkpoints: string | S3Options | null;
  /** Directories from which data sets may be registered. */
  readonly dataRoots: readonly string[];
  /** Origins whose pages may call the API; none: no cross-origin requests. */
  readonly corsOrigins: readonly string[];
  /** Of the files of the console; where it is not there, the API is served alone. */
  readonly consoleDirectory: string;
  /** Bearer token of users; null asks for none, on loopback alone. */
  readonly apiToken: string | null;
  /** Bearer token of workers; null asks for none, on loopback alone. */
  readonly joinToken: string | null;
  readonly redisUrl: string;
  /** Starts the name of every key in Redis. */
  readonly keyPrefix: string;
  readonly heartbeatIntervalMs: number;
  /** A worker silent for this long is dead. */
  readonly heartbeatTimeoutMs: number;
  /** So is one whose compute thread has not answered for this long. */
  readonly computeSilenceLimitMs: number;
  /** What workers are told about their rings. */
  readonly ring: RingSettings;
  /** Whether users may bring about faults. */
  readonly takesFaults: boolean;
  /** The most workers of one number of threads that an autoscaler may start. */
  readonly maxWorkers: number;
  readonly maxCheckpointBytes: number;
  /** Readers that follow jobs at the same time. */
  readonly maxEventStreams: number;
  /** Whether webhooks may be at addresses of private networks. */
  readonly webhooksPrivate: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Where the spans of steps go; null draws none. */
  readonly tracing: TracesTarget | null;
  /** Exit when standard input closes: the launcher that started this process is gone. */
  readonly parentPipe: boolean;
}

/** The options are not usable; `problems` has a line for each of them. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
  readonly code = 'OPTIONS_INVALID';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

const SECRETS = [
  'SKIPRING_API_TOKEN',
  'SKIPRING_JOIN_TOKEN',
  'SKIPRING_S3_SECRET_ACCESS_KEY',
  'REDIS_URL',
];

/** Turns the environment into validated, frozen options. Throws OptionsError with all problems. */
export function readOptions(environment: NodeJS.ProcessEnv): CoordinatorOptions {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    throw new OptionsError(
      parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        const value = SECRETS.includes(name) ? '(hidden)' : JSON.stringify(environment[name]);
        return `${name}=${value}: ${issue.message}`;
      }),
    );
  }
  const values = parsed.data;
  const dataHome = values.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
  return checkedOptions({
    host: values.SKIPRING_HOST,
    port: values.SKIPRING_PORT,
    dataDirectory: resolve(values.SKIPRING_DATA_DIR ?? join(dataHome, 'skipring')),
    checkpoints: checkpointPlace(values),
    dataRoots: values.SKIPRING_DATA_ROOTS.split(delimiter)
      .filter((root) => root !== '')
      .map((root) => resolve(root)),
    corsOrigins: values.SKIPRING_CORS_ORIGINS,
    consoleDirectory: builtConsole(),
    apiToken: values.SKIPRING_API_TOKEN ?? null,
    joinToken: values.SKIPRING_JOIN_TOKEN ?? null,
    redisUrl: values.REDIS_URL,
    keyPrefix: values.SKIPRING_KEY_PREFIX,
    heartbeatIntervalMs: values.SKIPRING_HEARTBEAT_INTERVAL_MS,
    heartbeatTimeoutMs: values.SKIPRING_HEARTBEAT_TIMEOUT_MS,
    computeSilenceLimitMs: values.SKIPRING_COMPUTE_SILENCE_MS,
    ring: ringSettings(values),
    takesFaults: values.SKIPRING_FAULTS === '1',
    maxWorkers: values.SKIPRING_MAX_WORKERS,
    maxCheckpointBytes: values.SKIPRING_MAX_CHECKPOINT_MB * 1_000_000,
    maxEventStreams: values.SKIPRING_MAX_EVENT_STREAMS,
    webhooksPrivate: values.SKIPRING_WEBHOOKS_PRIVATE === '1',
    logLevel: values.SKIPRING_LOG_LEVEL,
    tracing:
      values.SKIPRING_TRACES_URL === undefined
        ? null
        : { url: values.SKIPRING_TRACES_URL, everySteps: values.SKIPRING_TRACES_EVERY_STEPS },
    parentPipe: values.SKIPRING_PARENT_PIPE === '1',
  });
}

/** Without what is not set. */
function ringSettings({
  SKIPRING_RING_EXCHANGE_LIMIT_BYTES: exchangeLimitBytes,
  SKIPRING_RING_SEGMENT_BYTES: segmentBytes,
}: z.output<typeof environmentSchema>): RingSettings {
  return {
    ...(exchangeLimitBytes !== undefined && { exchangeLimitBytes }),
    ...(segmentBytes !== undefined && { segmentBytes }),
  };
}

/** Throws OptionsError. */
function checkpointPlace(
  values: z.output<typeof environmentSchema>,
): CoordinatorOptions['checkpoints'] {
  const { SKIPRING_CHECKPOINTS: place } = values;
  const keyId = values.SKIPRING_S3_ACCESS_KEY_ID ?? null;
  const secret = values.SKIPRING_S3_SECRET_ACCESS_KEY ?? null;
  if (place === undefined) return null;
  if (!/^[a-z0-9]+:/i.test(place)) return resolve(place);
  if ((keyId === null) !== (secret === null)) {
    throw new OptionsError([
      'SKIPRING_S3_ACCESS_KEY_ID and SKIPRING_S3_SECRET_ACCESS_KEY: expected both or neither',
    ]);
  }
  try {
    return {
      ...parseS3Url(place),
      endpoint: values.SKIPRING_S3_ENDPOINT ?? null,
      region: values.SKIPRING_S3_REGION,
      credentials:
        keyId === null || secret === null ? null : { accessKeyId: keyId, secretAccessKey: secret },
    };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new OptionsError([`SKIPRING_CHECKPOINTS: ${error.message}, or a directory`]);
  }
}

/** Rules that involve two options. Throws OptionsError with all problems. */
export function checkedOptions(options: CoordinatorOptions): CoordinatorOptions {
  const problems: string[] = [];
  if (!isLoopback(options.host)) {
    for (const [name, value] of [
      ['SKIPRING_API_TOKEN', options.apiToken],
      ['SKIPRING_JOIN_TOKEN', options.joinToken],
    ] as const) {
      if (value !== null) continue;
      problems.push(
        `${name} is not set and SKIPRING_HOST=${JSON.stringify(options.host)} can be reached from ` +
          'other machines: set a token, or serve 127.0.0.1 only',
      );
    }
  }
  if (options.heartbeatTimeoutMs < 2 * options.heartbeatIntervalMs) {
    problems.push(
      `SKIPRING_HEARTBEAT_TIMEOUT_MS=${options.heartbeatTimeoutMs}: expected at least twice ` +
        `SKIPRING_HEARTBEAT_INTERVAL_MS=${options.heartbeatIntervalMs}`,
    );
  }
  if (problems.length > 0) throw new OptionsError(problems);
  return Object.freeze(options);
}

/** Whether an address to listen on can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}
