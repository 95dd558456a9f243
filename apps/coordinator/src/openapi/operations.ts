import { API_PREFIX } from '@skipring/protocol';
import type { z } from 'zod';
import { auditQuerySchema } from '../access/audit.controller.js';
import { sampleSchema, samplesQuerySchema, splitSchema } from '../data-sets/samples.controller.js';
import { metricsQuerySchema, ranksQuerySchema } from '../jobs/histories.controller.js';
import { layersQuerySchema } from '../jobs/layers.controller.js';
import { eventIdSchema, eventsQuerySchema, jobQuerySchema } from '../jobs/jobs.controller.js';
import type { SchemaName } from './schemas.js';

/** One route of the API, as documented. */
export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** With parameters in braces. */
  readonly path: string;
  readonly tag: 'jobs' | 'data sets' | 'workers' | 'sweeps' | 'access' | 'faults' | 'system';
  readonly id: string;
  readonly summary: string;
  /** Of parameters in the path that are not just any text. */
  readonly parameters?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  readonly headers?: Readonly<Record<string, { schema?: z.ZodType; description: string }>>;
  readonly body?: SchemaName;
  readonly isBodyOptional?: boolean;
  /** Success: by status, a schema's name, a media type, or null for no content. */
  readonly success: Readonly<Record<number, SchemaName | { readonly mediaType: string } | null>>;
  /** Statuses of problems besides 401, 403, 429, 500 and 503. */
  readonly problems: readonly number[];
  readonly isPublic?: boolean;
}

const jobs = `${API_PREFIX}/jobs`;
const job = `${jobs}/{id}`;
const dataSets = `${API_PREFIX}/data-sets`;
const workers = `${API_PREFIX}/workers`;
const tokens = `${API_PREFIX}/tokens`;
const faults = `${API_PREFIX}/faults`;
const sweeps = `${API_PREFIX}/sweeps`;

/** Every route for users. Those below `/internal` are between coordinator and workers. */
export const operations: readonly Operation[] = [
  {
    method: 'post',
    path: jobs,
    tag: 'jobs',
    id: 'submitJob',
    summary: 'Submit a job; all problems of a spec are told at once',
    headers: {
      'Idempotency-Key': {
        description: 'Makes the call safe to repeat: within a day, one key makes one job',
      },
    },
    body: 'JobSpec',
    success: { 201: 'Job', 200: 'Job' },
    problems: [400, 408, 409, 413, 415, 422],
  },
  {
    method: 'get',
    path: jobs,
    tag: 'jobs',
    id: 'listJobs',
    summary: 'List jobs, newest first',
    query: jobQuerySchema,
    success: { 200: 'JobPage' },
    problems: [422],
  },
  {
    method: 'get',
    path: job,
    tag: 'jobs',
    id: 'getJob',
    summary: 'Get a job',
    success: { 200: 'Job' },
    problems: [404],
  },
  {
    method: 'post',
    path: `${job}/cancel`,
    tag: 'jobs',
    id: 'cancelJob',
    summary: 'Cancel a job; one that runs stores a checkpoint first. 409 when it has ended',
    success: { 200: 'Job' },
    problems: [404, 409],
  },
  {
    method: 'post',
    path: `${job}/pause`,
    tag: 'jobs',
    id: 'pauseJob',
    summary: 'Pause a job; one that runs stores a checkpoint and frees its workers',
    success: { 200: 'Job' },
    problems: [404, 409],
  },
  {
    method: 'post',
    path: `${job}/resume`,
    tag: 'jobs',
    id: 'resumeJob',
    summary: 'Continue a paused, cancelled or failed job from its last checkpoint',
    success: { 200: 'Job' },
    problems: [404, 409],
  },
  {
    method: 'get',
    path: `${job}/events`,
    tag: 'jobs',
    id: 'followJob',
    summary: "A job's events as server-sent events (JobEvent), live, until it has ended",
    query: eventsQuerySchema,
    headers: {
      'Last-Event-ID': { schema: eventIdSchema, description: 'Resume behind this event' },
    },
    success: { 200: { mediaType: 'text/event-stream' } },
    problems: [404, 422],
  },
  {
    method: 'get',
    path: `${job}/metrics`,
    tag: 'jobs',
    id: 'jobMetrics',
    summary: 'Loss, accuracy, learning rate and time of each committed step',
    query: metricsQuerySchema,
    success: { 200: 'StepRecordList' },
    problems: [404, 422],
  },
  {
    method: 'get',
    path: `${job}/ranks`,
    tag: 'jobs',
    id: 'jobRanks',
    summary: 'How each rank spent its steps, as means over a few seconds',
    query: ranksQuerySchema,
    success: { 200: 'RankRecordList' },
    problems: [404, 422],
  },
  {
    method: 'get',
    path: `${job}/evaluations`,
    tag: 'jobs',
    id: 'jobEvaluations',
    summary: 'Evaluations on the test split, with confusion matrix',
    success: { 200: 'EvaluationList' },
    problems: [404],
  },
  {
    method: 'get',
    path: `${job}/model/{format}/{file}`,
    tag: 'jobs',
    id: 'jobExport',
    summary:
      'A file of the model in the form torch (model.safetensors), tfjs (model.json, weights.bin) or ' +
      'savedmodel (saved_model.pb, skipring.json); made when first asked for: 503 EXPORT_PENDING',
    success: { 200: { mediaType: 'application/octet-stream' } },
    problems: [404, 409, 422],
  },
  {
    method: 'get',
    path: `${job}/layers`,
    tag: 'jobs',
    id: 'jobLayers',
    summary: 'Gradient and weight norms, activation mean and variance of each layer, step by step',
    query: layersQuerySchema,
    success: { 200: 'LayerHistory' },
    problems: [404, 422],
  },
  {
    method: 'get',
    path: `${job}/ledger`,
    tag: 'jobs',
    id: 'jobLedger',
    summary: 'Which samples went into which committed steps: each of an epoch exactly once',
    success: { 200: 'Ledger' },
    problems: [404],
  },
  {
    method: 'get',
    path: `${job}/checkpoints`,
    tag: 'jobs',
    id: 'jobCheckpoints',
    summary: 'Checkpoints kept, newest first',
    success: { 200: 'CheckpointList' },
    problems: [404],
  },
  {
    method: 'get',
    path: `${job}/model`,
    tag: 'jobs',
    id: 'jobModel',
    summary: 'The trained model as a safetensors file; 409 while there is none',
    success: { 200: { mediaType: 'application/octet-stream' } },
    problems: [404, 409],
  },
  {
    method: 'post',
    path: dataSets,
    tag: 'data sets',
    id: 'registerDataSet',
    summary: 'Register a data set; it is prepared in the background',
    body: 'DataSetRegistration',
    success: { 201: 'DataSet', 200: 'DataSet' },
    problems: [400, 408, 409, 413, 415, 422],
  },
  {
    method: 'get',
    path: dataSets,
    tag: 'data sets',
    id: 'listDataSets',
    summary: 'List data sets',
    success: { 200: 'DataSetList' },
    problems: [],
  },
  {
    method: 'get',
    path: `${dataSets}/{name}`,
    tag: 'data sets',
    id: 'getDataSet',
    summary: 'Get a data set',
    success: { 200: 'DataSet' },
    problems: [404],
  },
  {
    method: 'get',
    path: `${dataSets}/{name}/classes`,
    tag: 'data sets',
    id: 'dataSetClasses',
    summary: 'How many samples each class has',
    success: { 200: 'ClassCounts' },
    problems: [404, 409],
  },
  {
    method: 'get',
    path: `${dataSets}/{name}/samples`,
    tag: 'data sets',
    id: 'listSamples',
    summary: 'List samples, of one class or of all',
    query: samplesQuerySchema,
    success: { 200: 'SampleList' },
    problems: [404, 409, 422],
  },
  {
    method: 'get',
    path: `${dataSets}/{name}/samples/{split}/{sample}`,
    tag: 'data sets',
    id: 'samplePicture',
    summary: "A sample's picture; of a large image every n-th row and column",
    parameters: { split: splitSchema, sample: sampleSchema },
    success: { 200: { mediaType: 'image/png' } },
    problems: [404, 409, 422],
  },
  {
    method: 'get',
    path: `${API_PREFIX}/schemas/job`,
    tag: 'jobs',
    id: 'jobSchema',
    summary: 'The JSON schema (2020-12) of a job spec, for editors and forms',
    success: { 200: 'JsonSchema' },
    problems: [],
  },
  {
    method: 'get',
    path: workers,
    tag: 'workers',
    id: 'listWorkers',
    summary: 'List connected workers',
    success: { 200: 'WorkerList' },
    problems: [],
  },
  {
    method: 'get',
    path: `${workers}/{id}`,
    tag: 'workers',
    id: 'getWorker',
    summary: 'Get a worker',
    success: { 200: 'Worker' },
    problems: [404],
  },
  {
    method: 'post',
    path: `${workers}/{id}/drain`,
    tag: 'workers',
    id: 'drainWorker',
    summary: 'Take a worker out of service; its lanes go to others',
    success: { 200: 'Worker' },
    problems: [404],
  },
  {
    method: 'post',
    path: faults,
    tag: 'faults',
    id: 'armFault',
    summary: 'Bring about a fault in a job; 403 unless the cluster was started to take faults',
    body: 'FaultRequest',
    success: { 201: 'Fault' },
    problems: [400, 403, 404, 409, 413, 415, 422],
  },
  {
    method: 'get',
    path: faults,
    tag: 'faults',
    id: 'listFaults',
    summary: 'Faults that are armed, and what became of earlier ones',
    success: { 200: 'FaultList' },
    problems: [403],
  },
  {
    method: 'post',
    path: `${faults}/{id}/cancel`,
    tag: 'faults',
    id: 'cancelFault',
    summary: 'Disarm a fault; 409 when it is over',
    success: { 200: 'Fault' },
    problems: [403, 404, 409],
  },
  {
    method: 'post',
    path: sweeps,
    tag: 'sweeps',
    id: 'submitSweep',
    summary: 'Submit a sweep: many jobs that differ in some fields',
    body: 'SweepSpec',
    success: { 201: 'Sweep' },
    problems: [400, 408, 413, 415, 422],
  },
  {
    method: 'get',
    path: sweeps,
    tag: 'sweeps',
    id: 'listSweeps',
    summary: 'List sweeps, newest first',
    success: { 200: 'SweepList' },
    problems: [],
  },
  {
    method: 'get',
    path: `${sweeps}/{id}`,
    tag: 'sweeps',
    id: 'getSweep',
    summary: 'Get a sweep with its trials',
    success: { 200: 'Sweep' },
    problems: [404],
  },
  {
    method: 'post',
    path: `${sweeps}/{id}/cancel`,
    tag: 'sweeps',
    id: 'cancelSweep',
    summary: 'Submit no more trials and cancel those that are open',
    success: { 200: 'Sweep' },
    problems: [404, 409],
  },
  {
    method: 'get',
    path: `${API_PREFIX}/whoami`,
    tag: 'access',
    id: 'whoAmI',
    summary: 'Name, role and limits of the token that is sent',
    success: { 200: 'Principal' },
    problems: [],
  },
  {
    method: 'post',
    path: tokens,
    tag: 'access',
    id: 'createToken',
    summary:
      'Make a token; this answer alone has its secret. Admins only, as all of tokens and audit',
    body: 'TokenRequest',
    success: { 201: 'NewToken' },
    problems: [400, 408, 409, 413, 415, 422],
  },
  {
    method: 'get',
    path: tokens,
    tag: 'access',
    id: 'listTokens',
    summary: 'List tokens, without secrets',
    success: { 200: 'TokenList' },
    problems: [],
  },
  {
    method: 'get',
    path: `${tokens}/{name}`,
    tag: 'access',
    id: 'getToken',
    summary: 'Get a token, without its secret',
    success: { 200: 'Token' },
    problems: [404],
  },
  {
    method: 'post',
    path: `${tokens}/{name}/rotate`,
    tag: 'access',
    id: 'rotateToken',
    summary: 'Give a token a new secret; the old one is taken for overlapMs more',
    body: 'TokenRotation',
    isBodyOptional: true,
    success: { 200: 'NewToken' },
    problems: [400, 404, 408, 413, 415, 422],
  },
  {
    method: 'delete',
    path: `${tokens}/{name}`,
    tag: 'access',
    id: 'revokeToken',
    summary: 'Revoke a token, at once',
    success: { 204: null },
    problems: [404],
  },
  {
    method: 'get',
    path: `${API_PREFIX}/audit`,
    tag: 'access',
    id: 'listAudit',
    summary: 'Who changed what, or was forbidden to, newest first',
    query: auditQuerySchema,
    success: { 200: 'AuditPage' },
    problems: [422],
  },
  {
    method: 'get',
    path: '/health/live',
    tag: 'system',
    id: 'live',
    summary: 'The process answers',
    success: { 200: 'Status' },
    problems: [],
    isPublic: true,
  },
  {
    method: 'get',
    path: '/health/ready',
    tag: 'system',
    id: 'ready',
    summary: 'Requests can be served',
    success: { 200: 'Status' },
    problems: [],
    isPublic: true,
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'system',
    id: 'metrics',
    summary: 'Metrics in the text format of Prometheus',
    success: { 200: { mediaType: 'text/plain' } },
    problems: [],
  },
];
