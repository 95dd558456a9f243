import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  auditEntrySchema,
  dataSetViewSchema,
  evaluationResultSchema,
  jobEventSchema,
  jobSummarySchema,
  jobViewSchema,
  newTokenSchema,
  stepRecordSchema,
  workerViewSchema,
} from '@skipring/protocol';
import { CliChecks } from '../support/cli-checks.js';
import { CliHome, type RunningCli } from '../support/cli.js';
import { MlflowServer } from '../support/mlflow-server.js';

// One cluster serves all tests of this file; each test makes the jobs that it needs.
let home: CliHome;
let cli: CliChecks;
let up: RunningCli;

const JOB = `
name: tiny # 2 epochs of 7 steps
model: { family: resnet-cifar, depth: 8 }
data: { dataSet: tiny }
training: { epochs: 2, learningRate: 0.05 }
lanes: { count: 2, size: 16 }
`;
beforeAll(async () => {
  home = await CliHome.make();
  cli = new CliChecks(home);
  await writeFile(join(home.directory, 'job.yaml'), JOB);
  up = home.start(['up', '--workers', '2', '--port', '0', '-o', 'json']);
  await up.says('"url"');
});
afterAll(async () => {
  await home.remove();
});

describe('skipring', () => {
  it('up -o json tells address and logs; a second one in the directory is refused', async () => {
    const { url, logs } = z
      .strictObject({ url: z.url(), logs: z.string() })
      .parse(JSON.parse(up.stdout));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await readFile(join(logs, 'coordinator.log'), 'utf8')).toContain('listening');
    expect(await cli.refusal(7, 'up', '--port', '0')).toMatch(
      new RegExp(`already runs in .*process ${up.process.pid}.*\nnext: `),
    );
  });

  it('doctor looks at this machine', async () => {
    const checks = z
      .array(
        z.object({ name: z.string(), status: z.enum(['ok', 'warn', 'fail']), detail: z.string() }),
      )
      .min(5);
    const { code, stdout } = await home.run(['doctor', '-o', 'json']);
    const isHealthy = checks.parse(JSON.parse(stdout)).every((check) => check.status !== 'fail');
    expect(code).toBe(isHealthy ? 0 : 7);
    const text = await home.run(['doctor']);
    expect(text.stdout).toMatch(/^(ok|warn|fail) +\S/);
    expect(text.code).toBe(code);
  });

  it('dataset adds, lists and shows', async () => {
    expect((await cli.succeed('dataset', 'list')).stdout).toContain('skipring dataset add');
    const args = ['--format', 'glyphs', '--train-samples', '210', '--test-samples', '40'];
    const added = await cli.succeed('dataset', 'add', 'tiny', ...args);
    expect(added.stdout).toMatch(/tiny +ready +32x32x1 +\d+ +210 +40\n/);
    const shown = await cli.json(dataSetViewSchema, 'dataset', 'show', 'tiny');
    expect(await cli.json(z.array(dataSetViewSchema), 'dataset', 'list')).toEqual([shown]);
    expect(await cli.json(dataSetViewSchema, 'dataset', 'add', 'tiny', ...args)).toEqual(shown);

    const seed = await cli.refusal(4, 'dataset', 'add', 'tiny', ...args, '--seed', '2');
    expect(seed).toContain('(DATA_SET_EXISTS)');
    const outside = await cli.refusal(4, 'dataset', 'add', 'other', '/etc', '--format', 'images');
    expect(outside).toMatch(/path: "\/etc": expected a file or directory inside/);
    const unfit = await cli.refusal(4, 'dataset', 'add', 'unfit', '.', '--format', 'idx');
    expect(unfit).toContain('expected a file train-labels-idx1-ubyte');
    expect(await cli.refusal(4, 'dataset', 'show', 'none')).toContain(
      'next: skipring dataset list',
    );
  });

  it('submit, logs -f, status, list and model: from a job file to the model', async () => {
    const [id = '', hint] = (await cli.succeed('submit', 'job.yaml')).stdout.split('\n');
    expect(hint).toBe(`next: skipring logs -f ${id}`);

    const { stdout: log } = await cli.succeed('logs', '-f', id);
    expect(log).toMatch(/\ntraining from step 0 on local-\d, local-\d\n/);
    expect(log).toMatch(/\nepoch 1\/2 step 1\/14 loss [^]*\nepoch 2\/2 step 14\/14 loss /);
    expect(log).toMatch(/\nepoch 1\/2: test accuracy [^]*\nepoch 2\/2: test accuracy /);
    expect(log).toMatch(/\nsucceeded: all steps are done\n$/);
    expect((await cli.succeed('logs', id)).stdout).toBe(log);
    const { stdout: lines } = await cli.succeed('logs', id, '-o', 'json');
    const events = lines.trim().split('\n');
    const types = events.map((line) => jobEventSchema.parse(JSON.parse(line)).type);
    expect(types.filter((type) => type === 'step')).toHaveLength(14);

    const job = await cli.status(id);
    expect(job).toMatchObject({ state: 'succeeded', progress: { step: 14, totalSteps: 14 } });
    const { stdout: described } = await cli.succeed('status', id);
    expect(described).toMatch(/^progress +epoch 2\/2, step 14\/14$/m);
    expect(described).toContain(`model SHA-256  ${job.modelSha256}`);

    expect((await cli.succeed('list')).stdout).toMatch(new RegExp(`^${id} +tiny +succeeded`, 'm'));
    const summary = jobSummarySchema.strip().parse(job);
    const summaries = z.array(jobSummarySchema);
    expect(await cli.json(summaries, 'list', '--state', 'succeeded')).toEqual([summary]);
    expect(await cli.json(summaries, 'list', '--state', 'failed')).toEqual([]);

    const fetched = await cli.json(
      z.strictObject({ path: z.string(), bytes: z.int(), sha256: z.string() }),
      ...['model', id, '--to', 'model.safetensors'],
    );
    const file = await readFile(join(home.directory, 'model.safetensors'));
    const sha256 = createHash('sha256').update(file).digest('hex');
    expect(fetched).toEqual({ path: 'model.safetensors', bytes: file.length, sha256 });
    expect(sha256).toBe(job.modelSha256);
    expect(await cli.refusal(2, 'model', id, '--to', 'no/such/folder')).toContain(
      '--to no/such/fold',
    );
  });

  it('submit --follow shows progress apart from the result, and the same spec gives the same model', async () => {
    const run = await home.run(['submit', '-', '-f', '-o', 'json'], { input: JOB });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/epoch 2\/2 step 14\/14[^]*succeeded: all steps are done\n$/);
    const job = jobViewSchema.parse(JSON.parse(run.stdout));
    const all = await cli.json(z.array(jobSummarySchema), 'list', '--state', 'succeeded', '--all');
    const one = await home.run(['list', '--limit', '1']);
    expect(one.stdout.trim().split('\n')).toHaveLength(2);
    expect(one.stderr).toContain('1 of 2 jobs; --all lists the rest');
    expect(all.map(({ modelSha256 }) => modelSha256)).toEqual([job.modelSha256, job.modelSha256]);

    const failing = await home.run([
      ...['submit', 'job.yaml', '-f', '--set', 'training.learningRate=100'],
      ...['training.epochs=50', 'retries.limit=0'],
    ]);
    expect(failing).toMatchObject({ code: 5 });
    expect(failing.stderr).toMatch(/\nerror: job \S+ failed: .+\nnext: skipring logs /);
  });

  it('metrics, compare and top show what was trained, to people and to programs', async () => {
    // One after the other: a step during which members change may be without a report.
    const ids: string[] = [];
    for (const set of [[], ['--set', 'seed=2']]) {
      const run = await home.run(['submit', 'job.yaml', '-f', '-o', 'json', ...set]);
      ids.push(jobViewSchema.parse(JSON.parse(run.stdout)).id);
    }
    const [first = '', second = ''] = ids;
    const { stdout: bars } = await cli.succeed('metrics', first);
    expect(bars).toMatch(/^loss +[▁-█]{14} +\d\.\d{4} -> \d\.\d{4}$/m);
    expect(bars).toMatch(/^test accuracy +[▁-█]{2} /m);
    const { stdout: table } = await cli.succeed('metrics', first, '--format', 'csv');
    const lines = table.trim().split('\n');
    expect(lines[0]).toBe('step,epoch,cursor,loss,accuracy,learningRate,samples,stepMs');
    expect(lines).toHaveLength(15);
    const all = z.strictObject({
      jobId: z.literal(first),
      steps: z.array(stepRecordSchema).length(14),
      evaluations: z.array(evaluationResultSchema).length(2),
    });
    await cli.json(all, 'metrics', first);

    const { stdout: compared } = await cli.succeed('compare', first, second);
    expect(compared).toMatch(/^seed +1 +2$/m);
    expect(compared).toMatch(/^= state +succeeded +succeeded$/m);
    const difference = await cli.json(
      z.strictObject({
        differences: z.record(z.string(), z.array(z.string())),
        jobs: z.array(jobViewSchema),
      }),
      ...['compare', first, second],
    );
    expect(difference.differences).toEqual({ seed: ['1', '2'] });

    const { stdout: now } = await cli.succeed('top');
    expect(now).toMatch(/^\d+ jobs?, \d\/2 workers busy, \d+ images\/s$/m);
    const jobs = z.array(jobSummarySchema);
    const look = { jobs, queued: jobs, numQueued: z.int() };
    await cli.json(
      z.strictObject({ ...look, workers: z.array(workerViewSchema).length(2) }),
      'top',
    );

    const exported = z.strictObject({ format: z.string(), where: z.string() });
    const board = await cli.json(
      exported,
      'metrics',
      first,
      '--format',
      'tensorboard',
      '--out',
      'runs',
    );
    const events = await readFile(join(home.directory, board.where));
    expect(events.includes('train/loss')).toBe(true);
    expect(events.includes('test/accuracy')).toBe(true);
    const { where } = await cli.json(exported, 'metrics', first, '--format', 'wandb', '--out', 'w');
    const history = await readFile(join(home.directory, where, 'history.jsonl'), 'utf8');
    const rows = history.trim().split('\n');
    expect(rows).toHaveLength(16);
    expect(JSON.parse(rows[0] ?? '')).toMatchObject({ _step: 1, epoch: 0 });
    const summary = await readFile(join(home.directory, where, 'summary.json'), 'utf8');
    expect(JSON.parse(summary)).toMatchObject({ _step: 14, state: 'succeeded' });
    expect(
      await cli.refusal(2, 'metrics', first, '--format', 'wandb', '--out', 'job.yaml'),
    ).toContain('--out job.yaml: ');

    const mlflow = await MlflowServer.start('mlflow-token');
    try {
      const to = ['--format', 'mlflow', '--out', mlflow.url];
      expect(await cli.refusal(4, 'metrics', first, ...to)).toContain('MLflow answers 401');
      const env = { MLFLOW_TRACKING_TOKEN: 'mlflow-token' };
      expect(await home.run(['metrics', first, ...to], { env })).toMatchObject({ code: 0 });
      const [run] = [...mlflow.runs.values()];
      expect(run).toMatchObject({
        name: 'tiny',
        status: 'FINISHED',
        tags: { 'skipring.job': first },
      });
      expect(run?.params['model.depth']).toBe('8');
      expect(run?.metrics.filter(({ key }) => key === 'train/loss')).toHaveLength(14);
      expect(run?.metrics.filter(({ key }) => key === 'test/accuracy')).toHaveLength(2);
    } finally {
      await mlflow.stop();
    }
  });

  it('token, whoami and audit: a person gets access, and loses it', async () => {
    expect((await cli.succeed('whoami')).stdout).toBe('root (admin)\n');
    const made = await cli.json(newTokenSchema, 'token', 'create', 'ann', '--role', 'viewer');
    const token = ['--token', made.token];
    expect((await cli.succeed('whoami', ...token)).stdout).toBe('ann (viewer)\n');
    expect(await cli.refusal(4, 'submit', 'job.yaml', ...token)).toMatch(/\(FORBIDDEN\)\nnext: /);
    expect((await cli.succeed('token', 'list')).stdout).toMatch(/^ann +viewer +\d{4}-/m);
    const rotated = await cli.json(newTokenSchema, 'token', 'rotate', 'ann', '--overlap', '0s');
    expect(await cli.refusal(4, 'whoami', ...token)).toContain('(UNAUTHORIZED)');
    await cli.succeed('whoami', '--token', rotated.token);
    await cli.json(
      z.strictObject({ name: z.literal('ann'), revoked: z.literal(true) }),
      'token',
      'revoke',
      'ann',
    );
    expect(await cli.refusal(4, 'whoami', '--token', rotated.token)).toContain('(UNAUTHORIZED)');
    const entries = await cli.json(z.array(auditEntrySchema), 'audit', '--limit', '20');
    expect(entries.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining(['POST /api/v1/tokens', 'DELETE /api/v1/tokens/ann']),
    );
    expect((await cli.succeed('audit')).stdout).toMatch(
      / ann +viewer +\S+ +403 +POST \/api\/v1\/jobs$/m,
    );
  });

  it('asks for the token, and says where it can be had', async () => {
    const { url } = z.object({ url: z.string() }).parse(JSON.parse(up.stdout));
    const wrong = await cli.refusal(4, 'list', '--token', 'wrong');
    expect(wrong).toMatch(/\(UNAUTHORIZED\)\nnext: .*--token or SKIPRING_TOKEN/);
    expect(await cli.refusal(4, 'list', '--url', url)).toContain('(UNAUTHORIZED)');
    const { token } = z
      .object({ token: z.string() })
      .parse(JSON.parse(await readFile(join(home.dataDirectory, 'endpoint.json'), 'utf8')));
    await cli.succeed('list', '--url', url, '--token', token);
    const env = { SKIPRING_URL: url, SKIPRING_TOKEN: token, SKIPRING_DATA_DIR: '/nowhere' };
    expect(await home.run(['list'], { env })).toMatchObject({ code: 0 });
  });

  it.each(['status', 'logs', 'cancel', 'pause', 'resume', 'model', 'metrics'])(
    '%s of an unknown job',
    async (name) => {
      expect(await cli.refusal(4, name, 'job-none')).toBe(
        'error: no job job-none (JOB_UNKNOWN)\nnext: skipring list\n',
      );
    },
  );

  it('refuses a spec that the data set cannot serve', async () => {
    const set = ['--set', 'data.dataSet=none'];
    expect(await cli.refusal(4, 'submit', 'job.yaml', ...set)).toMatch(
      /data\.dataSet: "none": expected a registered data set/,
    );
  });

  it('workers and drain: a worker that is drained leaves, the cluster goes on', async () => {
    const workers = await cli.json(z.array(workerViewSchema), 'workers');
    expect(workers.map(({ id }) => id).sort()).toEqual(['local-1', 'local-2']);
    expect((await cli.succeed('workers')).stdout).toMatch(
      /^local-2 +\S+ +idle +cpu +1 +- +- +- +- +-$/m,
    );
    expect(await cli.json(workerViewSchema, 'drain', 'local-2')).toMatchObject({ id: 'local-2' });
    await up.says('worker 2 has left');
    expect(await cli.json(z.array(workerViewSchema), 'workers')).toMatchObject([{ id: 'local-1' }]);
    expect(await cli.refusal(4, 'drain', 'local-2')).toContain('next: skipring workers');
  });

  it('up ends with success on SIGTERM, and nothing is left to talk to', async () => {
    up.signal('SIGTERM');
    expect((await up.result()).code).toBe(0);
    await home.nothingRuns();
    expect(await cli.refusal(3, 'list')).toContain('no coordinator is running');
  });
});
