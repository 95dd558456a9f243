import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors } from '@skipring/checkpoint';
import type { JobSpecInput } from '@skipring/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addGlyphs,
  smallJob,
  startCluster,
  waitForJob,
  type TestCluster,
} from '../support/cluster.js';

let roots: string;
let cluster: TestCluster;
let dataSet: string;
let first: string;

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const spec = (changes: Partial<JobSpecInput>): JobSpecInput =>
  smallJob(dataSet, { training: { steps: 2, learningRate: 0.01 }, ...changes });

async function run(changes: Partial<JobSpecInput>): Promise<{ id: string; sha256: string | null }> {
  const { id } = await cluster.client.submit(spec(changes));
  return { id, sha256: (await waitForJob(cluster.client, id)).modelSha256 };
}

async function logOf(id: string): Promise<string> {
  let text = '';
  for await (const event of cluster.client.events(id)) {
    if (event.type === 'log') text += `${event.message}\n`;
  }
  return text;
}

beforeAll(async () => {
  roots = await mkdtemp(join(tmpdir(), 'skipring-weights-'));
  cluster = await startCluster(2, [roots]);
  dataSet = await addGlyphs(cluster.client, 80, 20);
  first = (await run({})).id;
});
afterAll(async () => {
  await cluster.stop();
  await rm(roots, { recursive: true, force: true });
});

describe('a job with initial weights', () => {
  it('begins with those of a job, or of its file in either naming, on 1 and 2 workers', async () => {
    const { client } = cluster;
    await writeFile(join(roots, 'own.safetensors'), await bytesOf(await client.model(first)));
    const torch = await client.modelFile(first, 'torch', 'model.safetensors');
    await writeFile(join(roots, 'torch.safetensors'), await bytesOf(torch));
    const cold = await run({ seed: 1 });
    const byJob = await run({ initialWeights: { job: first }, workers: { max: 1 } });
    const byFile = await run({
      initialWeights: { file: join(roots, 'own.safetensors') },
      workers: { min: 2 },
    });
    const byTorch = await run({ initialWeights: { file: join(roots, 'torch.safetensors') } });
    expect(byJob.sha256).not.toBe(cold.sha256);
    expect(new Set([byJob.sha256, byFile.sha256, byTorch.sha256]).size).toBe(1);
    expect(await logOf(byJob.id)).toMatch(
      new RegExp(`initial weights from ${first}: \\d+ tensors`),
    );
    const { initialWeights } = (await client.job(byJob.id)).spec;
    expect(initialWeights?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is as submitted when the file changes later', async () => {
    const path = join(roots, 'changing.safetensors');
    await copyFile(join(roots, 'own.safetensors'), path);
    const { id } = await cluster.client.submit(spec({ initialWeights: { file: path } }));
    await writeFile(path, 'no longer there');
    expect((await waitForJob(cluster.client, id)).state).toBe('succeeded');
  });

  it('of another model fails with a list of what does not match', async () => {
    const model = { family: 'resnet-cifar', depth: 14 } as const;
    const { id } = await cluster.client.submit(spec({ model, initialWeights: { job: first } }));
    const failed = await waitForJob(cluster.client, id);
    expect(failed.state).toBe('failed');
    expect(failed.attempt).toBe(1);
    expect(failed.reason).toMatch(/WEIGHTS_MISMATCH.*stage1\/block1\/conv1\/kernel is missing/);
  });

  it('for other classes keeps the classifier of the seed where it is told to', async () => {
    const kept = await run({ initialWeights: { job: first, head: 'keep' } });
    expect(await logOf(kept.id)).toContain('from the seed: classifier/kernel, classifier/bias');
    const model = decodeSafetensors(await bytesOf(await cluster.client.model(kept.id)));
    expect(model.has('classifier/kernel')).toBe(true);
  });

  it.each([
    ['a file outside the roots', { file: '/etc/passwd' }, '/initialWeights/file'],
    ['both', { file: 'a', job: 'job-1' }, '/initialWeights/job'],
    ['neither', {}, '/initialWeights/job'],
  ])('from %s is refused', async (_, initialWeights, field) => {
    const submission = cluster.client.submit(spec({ initialWeights }));
    await expect(submission).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      problem: { errors: [expect.objectContaining({ field })] },
    });
  });
});
