import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCoordinator, type CoordinatorOptions } from '@skipring/coordinator';
import {
  API_PREFIX,
  dataSetViewSchema,
  jobViewSchema,
  type DataSetRegistrationInput,
  type DataSetView,
  type JobSpecInput,
  type JobView,
} from '@skipring/protocol';
import { until } from './until.js';

/** A coordinator in this process, on a free port, with a data directory of its own. */
export interface TestCoordinator {
  readonly url: string;
  readonly port: number;
  /** Every route served: method and path. */
  readonly routes: readonly string[];
  readonly options: CoordinatorOptions;
  /** Sends a request to a path below the API's prefix, or to any path that begins with `//`. */
  readonly send: (path: string, request?: ApiRequest) => Promise<Response>;
  readonly close: () => Promise<void>;
}

export interface ApiRequest {
  readonly method?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

let numPrefixes = 0;

export async function startCoordinator(
  redisUrl: string,
  changes: Partial<CoordinatorOptions> = {},
): Promise<TestCoordinator> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'skipring-coordinator-'));
  const options: CoordinatorOptions = {
    host: '127.0.0.1',
    port: 0,
    dataDirectory,
    checkpoints: null,
    dataRoots: [],
    corsOrigins: [],
    consoleDirectory: join(dataDirectory, 'no-console'),
    apiToken: null,
    joinToken: null,
    redisUrl,
    keyPrefix: `coordinator-${++numPrefixes}`,
    heartbeatIntervalMs: 1_000,
    heartbeatTimeoutMs: 5_000,
    computeSilenceLimitMs: 60_000,
    ring: {},
    takesFaults: false,
    maxWorkers: 16,
    maxCheckpointBytes: 1_000_000,
    maxEventStreams: 1_024,
    webhooksPrivate: false,
    logLevel: 'silent',
    tracing: null,
    parentPipe: false,
    ...changes,
  };
  const coordinator = await createCoordinator(options);
  const { url, port, routes } = coordinator;
  return {
    url,
    port,
    routes,
    options,
    send: (path, request) => fetch(address(url, path), init(request)),
    async close() {
      await coordinator.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

function address(url: string, path: string): string {
  return path.startsWith('//') ? url + path.slice(1) : url + API_PREFIX + path;
}

function init({ method, json, body, headers = {}, signal }: ApiRequest = {}): RequestInit {
  const content = json === undefined ? body : JSON.stringify(json);
  return {
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    headers: {
      ...(content === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(content === undefined ? {} : { body: content }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** A job that is admitted on `tinyGlyphs` and then waits for workers, as there are none. */
export function waitingJob(changes: Partial<JobSpecInput> = {}): JobSpecInput {
  return {
    apiVersion: 'skipring/v1',
    name: 'waits',
    model: { family: 'resnet-cifar', depth: 8 },
    data: { dataSet: tinyGlyphs.name },
    training: { epochs: 1 },
    lanes: { count: 2, size: 4 },
    ...changes,
  };
}

export const tinyGlyphs = {
  name: 'tiny',
  format: 'glyphs',
  trainSamples: 20,
  testSamples: 10,
} as const satisfies DataSetRegistrationInput;

export async function submit(
  { send }: TestCoordinator,
  spec: JobSpecInput = waitingJob(),
  headers: Readonly<Record<string, string>> = {},
): Promise<JobView> {
  const response = await send('/jobs', { json: spec, headers });
  if (!response.ok) throw new Error(`submit: ${response.status} ${await response.text()}`);
  return jobViewSchema.parse(await response.json());
}

export async function getJob({ send }: TestCoordinator, id: string): Promise<JobView> {
  return jobViewSchema.parse(await (await send(`/jobs/${id}`)).json());
}

/** Waits until the job is in the state. */
export function jobIn(
  coordinator: TestCoordinator,
  id: string,
  state: JobView['state'],
): Promise<JobView> {
  return until(`job ${id} is ${state}`, async () => {
    const job = await getJob(coordinator, id);
    return job.state === state ? job : null;
  });
}

/** Registers a data set and waits until it is ready or failed. */
export async function settleDataSet(
  { send }: TestCoordinator,
  registration: DataSetRegistrationInput,
): Promise<DataSetView> {
  const response = await send('/data-sets', { json: registration });
  if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`);
  return until(`data set ${registration.name} is settled`, async () => {
    const answer = await send(`/data-sets/${registration.name}`);
    const view = dataSetViewSchema.parse(await answer.json());
    return view.state === 'preparing' ? null : view;
  });
}
