import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSafetensors, readMetadata } from '@skipring/checkpoint';
import { modelCardSchema } from '@skipring/protocol';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addGlyphs,
  smallJob,
  startCluster,
  waitForJob,
  type TestCluster,
} from '../support/cluster.js';
import { CliHome } from '../support/cli.js';

let cluster: TestCluster;
let jobId: string;
let home: CliHome;

beforeAll(async () => {
  home = await CliHome.make();
  cluster = await startCluster(1);
  const { client } = cluster;
  const dataSet = await addGlyphs(client, 80, 20);
  jobId = (await client.submit(smallJob(dataSet, { training: { steps: 2 } }))).id;
  await waitForJob(client, jobId);
});
afterAll(async () => {
  await cluster.stop();
  await home.remove();
});

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a trained model', () => {
  it('is given out with names and layouts of PyTorch, and a card', async () => {
    const { client } = cluster;
    const torch = await bytesOf(await client.modelFile(jobId, 'torch', 'model.safetensors'));
    const own = await bytesOf(await client.model(jobId));
    const card = modelCardSchema.parse(JSON.parse(readMetadata(torch).get('skipring') ?? ''));
    expect(card).toMatchObject({ job: jobId, model: { depth: 8 }, image: { height: 32 } });
    expect(card.modelSha256).toBe(createHash('sha256').update(own).digest('hex'));
    const tensors = decodeSafetensors(torch);
    expect(tensors.size).toBe(decodeSafetensors(own).size);
    expect(tensors.get('layer2.0.conv1.weight')?.shape).toEqual([32, 16, 3, 3]);
  });

  it('classifies images, from a job and from a file, and names those that cannot be read', async () => {
    const folder = join(home.directory, 'images');
    await mkdir(folder);
    const image = new PNG({ width: 48, height: 40 });
    image.data.fill(255);
    await writeFile(join(folder, 'a.png'), PNG.sync.write(image));
    await writeFile(join(folder, 'b.png'), 'no image');
    const { dataDirectory } = cluster;
    const common = ['--data-dir', dataDirectory, '-o', 'json'];
    const byJob = await home.run(['predict', folder, '--job', jobId, ...common]);
    expect(byJob.code).toBe(2);
    expect(byJob.stderr).toMatch(/1 of 2 files cannot be read\n +.*b\.png/);
    const file = join(home.directory, 'm.safetensors');
    const fetched = await home.run(['model', jobId, '--format', 'torch', '--to', file, ...common]);
    expect(fetched.code, fetched.stderr).toBe(0);
    const good = join(folder, 'a.png');
    const byFile = await home.run(['predict', good, '--model', file, '--top', '8', '-o', 'json']);
    expect(byFile.code, byFile.stderr).toBe(0);
    interface Found {
      file: string;
      classes: { name: string; probability: number }[];
    }
    const [fromJob] = JSON.parse(byJob.stdout) as Found[];
    const [fromFile] = JSON.parse(byFile.stdout) as Found[];
    expect(fromJob?.file).toBe(good);
    expect(fromJob?.classes).toEqual(fromFile?.classes.slice(0, 3));
    const sum = fromFile!.classes.reduce((total, { probability }) => total + probability, 0);
    expect(sum).toBeGreaterThan(0.5);
    expect(sum).toBeLessThan(1.0001);
    const table = await home.run(['predict', good, '--model', file]);
    expect(table.stderr).toBe('');
    expect(table.stdout).toContain(fromFile!.classes[0]!.name);
  });

  it.each([
    ['tfjs', ['model.json', 'weights.bin']],
    ['savedmodel', ['saved_model.pb', 'skipring.json']],
  ])('is fetched as %s by the command', async (format, names) => {
    const to = join(home.directory, format);
    const { dataDirectory } = cluster;
    const args = ['model', jobId, '--format', format, '--to', to, '--data-dir', dataDirectory];
    const { code, stderr } = await home.run(args);
    expect(code, stderr).toBe(0);
    for (const name of names) expect((await readFile(join(to, name))).length).toBeGreaterThan(200);
  });
});
