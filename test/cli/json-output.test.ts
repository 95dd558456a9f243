import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SkipringClient } from '@skipring/client';
import {
  auditEntrySchema,
  dataSetViewSchema,
  deliveryTrySchema,
  evaluationResultSchema,
  jobEventSchema,
  jobSummarySchema,
  jobViewSchema,
  newTokenSchema,
  newWebhookSchema,
  principalViewSchema,
  stepRecordSchema,
  sweepViewSchema,
  tokenViewSchema,
  webhookTestSchema,
  webhookViewSchema,
  workerViewSchema,
  type JobView,
} from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CliHome, type RunningCli } from '../support/cli.js';
import { until } from '../support/until.js';

/** Clusters of their own that train for minutes: with SKIPRING_TEST_LONG=1. */
const isLong = process.env.SKIPRING_TEST_LONG === '1';
const LONG = ['chaos', 'demo'];
const LONG_DEADLINE_MS = 240_000;
/** A script for a shell, whatever is asked for. */
const TEXT = ['completion'];

const JOB = `
name: tiny
model: { family: resnet-cifar, depth: 8 }
data: { dataSet: tiny }
training: { steps: 3 }
lanes: { count: 2, size: 16 }
`;
const SWEEP = `
name: rates
job:
  model: { family: resnet-cifar, depth: 8 }
  data: { dataSet: tiny }
  training: { steps: 2 }
  lanes: { count: 2, size: 16 }
parameters:
  training.learningRate: { values: [0.01, 0.05] }
strategy: { kind: grid }
`;

const written = z.strictObject({ path: z.string(), bytes: z.int(), sha256: z.string() });
const contexts = z.array(
  z.strictObject({
    ...{ name: z.string(), url: z.url() },
    ...{ isCurrent: z.boolean(), hasToken: z.boolean() },
  }),
);

let home: CliHome;
let up: RunningCli;
let env: Record<string, string>;
/** One that has succeeded. */
let job: JobView;
const seen = new Set<string>();

beforeAll(async () => {
  home = await CliHome.make();
  env = { XDG_CONFIG_HOME: join(home.directory, 'config') };
  await writeFile(join(home.directory, 'job.yaml'), JOB);
  await writeFile(join(home.directory, 'sweep.yaml'), SWEEP);
  up = home.start(['up', '--workers', '1', '--port', '0', '-o', 'json'], { env });
  await up.says('"url"');
});
afterAll(() => home.remove());

/** What a command prints with `-o json`, checked; it must succeed. */
async function json<T extends z.ZodType>(
  schema: T,
  command: string,
  ...args: string[]
): Promise<z.output<T>> {
  seen.add(command);
  const deadlineMs = LONG.includes(command) ? LONG_DEADLINE_MS : undefined;
  const words = [...command.split(' '), ...args, '-o', 'json'];
  const result = await home.run(words, { env, deadlineMs });
  expect(result.code, `${command}: ${result.stderr}`).toBe(0);
  return schema.parse(JSON.parse(result.stdout));
}

async function state(id: string, wanted: JobView['state']): Promise<JobView> {
  return until(
    `job ${id} is ${wanted}`,
    async () => {
      const view = await json(jobViewSchema, 'status', id);
      return view.state === wanted ? view : null;
    },
    90_000,
  );
}

describe('-o json', () => {
  it('of the cluster', async () => {
    seen.add('up');
    z.strictObject({ url: z.url(), logs: z.string() }).parse(JSON.parse(up.stdout));
    const checks = z.array(
      z.strictObject({
        ...{ name: z.string(), status: z.enum(['ok', 'warn', 'fail']), detail: z.string() },
        fix: z.string().optional(),
      }),
    );
    await json(checks, 'doctor');
    expect(await json(z.array(workerViewSchema), 'workers')).toHaveLength(1);
    const present = z.strictObject({ exchangeLimitBytes: z.int(), segmentBytes: z.int() });
    await json(z.looseObject({ present }), 'tune-ring', '--budget', '1');
  });

  it('of data sets', async () => {
    const sizes = ['--format', 'glyphs', '--train-samples', '128', '--test-samples', '20'];
    const added = await json(dataSetViewSchema, 'dataset add', 'tiny', ...sizes);
    expect(await json(dataSetViewSchema, 'dataset show', 'tiny')).toEqual(added);
    expect(await json(z.array(dataSetViewSchema), 'dataset list')).toEqual([added]);
    await json(dataSetViewSchema, 'dataset add', 'unused', ...sizes);
    const removed = { name: z.literal('unused'), removed: z.literal(true) };
    await json(z.strictObject(removed), 'dataset remove', 'unused', '--yes');
  });

  it('of jobs', async () => {
    job = await json(jobViewSchema, 'submit', 'job.yaml', '--follow');
    const endless = ['--set', 'training.steps=1000000'];
    const { id } = await json(jobViewSchema, 'submit', 'job.yaml', ...endless);
    await state(id, 'running');
    const jobs = z.array(jobSummarySchema);
    const now = { jobs, queued: jobs, numQueued: z.int(), workers: z.array(workerViewSchema) };
    await json(z.strictObject(now), 'top');
    await json(jobViewSchema, 'pause', id);
    await state(id, 'paused');
    await json(jobViewSchema, 'resume', id);
    await json(jobViewSchema, 'cancel', id);
    await state(id, 'cancelled');
    expect(await json(jobs, 'list')).toHaveLength(2);

    seen.add('logs');
    const deleted = z.array(z.strictObject({ id: z.literal(id), deleted: z.literal(true) }));
    await json(deleted, 'delete', id, '--yes');

    const { stdout } = await home.run(['logs', job.id, '-o', 'json']);
    const events = stdout.trim().split('\n');
    for (const line of events) jobEventSchema.parse(JSON.parse(line));
    expect(events.length).toBeGreaterThan(3);
  });

  it('of what was trained', async () => {
    const other = await json(jobViewSchema, 'submit', 'job.yaml', '-f', '--set', 'seed=2');
    const course = {
      steps: z.array(stepRecordSchema),
      evaluations: z.array(evaluationResultSchema),
    };
    await json(z.strictObject({ jobId: z.string(), ...course }), 'metrics', job.id);
    const differences = z.record(z.string(), z.array(z.string()));
    await json(
      z.strictObject({ differences, jobs: z.array(jobViewSchema) }),
      ...(['compare', job.id, other.id] as const),
    );
    const fetched = await json(written, 'model get', job.id);
    expect(fetched.sha256).toBe(job.modelSha256);
    const files = { path: z.string(), format: z.literal('torch'), files: z.array(written) };
    await json(z.strictObject(files), 'model export', job.id, '--format', 'torch');

    await mkdir(join(home.directory, 'pictures'));
    await writeFile(join(home.directory, 'pictures', 'a.png'), await picture());
    const classes = z
      .array(z.strictObject({ name: z.string(), probability: z.number() }))
      .length(3);
    const predictions = z.array(z.strictObject({ file: z.string(), classes, error: z.null() }));
    expect(await json(predictions, 'predict', '--job', job.id, 'pictures')).toHaveLength(1);
  });

  async function picture(): Promise<Uint8Array> {
    const endpoint = z
      .object({ url: z.url(), token: z.string() })
      .parse(JSON.parse(await readFile(join(home.dataDirectory, 'endpoint.json'), 'utf8')));
    const picture = await new SkipringClient(endpoint).samplePicture('tiny', 'test', 0);
    return new Uint8Array(await picture.arrayBuffer());
  }

  it('of sweeps and experiments', async () => {
    const { id } = await json(sweepViewSchema, 'sweep submit', 'sweep.yaml');
    expect((await json(sweepViewSchema, 'sweep show', id)).trials).toHaveLength(2);
    expect(await json(z.array(sweepViewSchema), 'sweep list')).toHaveLength(1);
    await json(sweepViewSchema, 'sweep cancel', id);
    const runs = z.array(z.looseObject({ depth: z.literal(8), jobId: z.string() })).length(2);
    await json(
      z.strictObject({ files: z.array(z.string()).length(3), runs }),
      'experiment residual',
      ...['--depths', '8', '--epochs', '1', '--data-set', 'tiny'],
    );
  });

  it('of access', async () => {
    await json(newTokenSchema, 'token create', 'ci', '--role', 'submitter', '--storage', '1');
    expect(await json(z.array(tokenViewSchema), 'token list')).toHaveLength(1);
    await json(newTokenSchema, 'token rotate', 'ci');
    const revoked = { name: z.literal('ci'), revoked: z.literal(true) };
    await json(z.strictObject(revoked), 'token revoke', 'ci');
    await json(principalViewSchema, 'whoami');
    await json(z.array(auditEntrySchema).min(1), 'audit');
  });

  it('of webhooks', async () => {
    const url = 'https://example.org/hook';
    await json(newWebhookSchema, 'webhook create', 'chat', url, '--states', 'pausing');
    expect(await json(z.array(webhookViewSchema), 'webhook list')).toHaveLength(1);
    await json(z.array(deliveryTrySchema), 'webhook deliveries', 'chat');
    await json(newWebhookSchema, 'webhook rotate', 'chat');
    await json(webhookViewSchema, 'webhook disable', 'chat');
    await json(webhookViewSchema, 'webhook enable', 'chat');
    await json(webhookViewSchema, 'webhook change', 'chat', '--states', 'failed');
    seen.add('webhook test');
    const test = await home.run(['webhook', 'test', 'chat', '-o', 'json']);
    expect(test).toMatchObject({ code: 4 });
    expect(webhookTestSchema.parse(JSON.parse(test.stdout)).outcome).toBe('failed');
    const deleted = { name: z.literal('chat'), deleted: z.literal(true) };
    await json(z.strictObject(deleted), 'webhook delete', 'chat');
  });

  it('of contexts', async () => {
    await json(contexts, 'context add', 'lab', '--url', 'http://127.0.0.1:9');
    await json(contexts, 'context use', 'lab');
    expect(await json(contexts, 'context list')).toMatchObject([{ name: 'lab', isCurrent: true }]);
    expect(await json(contexts, 'context remove', 'lab')).toEqual([]);
  });

  it('of the last worker', async () => {
    expect(await json(workerViewSchema, 'drain', 'local-1')).toMatchObject({ state: 'draining' });
  });

  it.runIf(isLong)('of commands that start clusters', async () => {
    up.signal('SIGTERM');
    await up.result();
    expect(await json(jobViewSchema, 'demo', '--epochs', '1')).toMatchObject({
      state: 'succeeded',
    });
    const report = z.looseObject({ passed: z.literal(true), runs: z.array(z.unknown()).min(1) });
    await json(report, 'chaos', '--minutes', '1', '--workers', '2');
  });

  it('is tried of every command', async () => {
    const { stdout } = await home.run(['completion', 'bash']);
    const names = [...stdout.matchAll(/^ {4}'(.+)'\) words=/gm)].map(([, name = '']) => name);
    const isGroup = (name: string): boolean => names.some((other) => other.startsWith(`${name} `));
    const untried = [...TEXT, ...(isLong ? [] : LONG)];
    const expected = names.filter((name) => !isGroup(name) && !untried.includes(name));
    expect([...seen].sort()).toEqual(expected.sort());
  });
});
