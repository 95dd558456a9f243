import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withTopology } from './topology-file.js';

const topology = { class_name: 'Sequential', config: { layers: [] } };

let directory: string;
let jobFile: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipring-topology-'));
  jobFile = join(directory, 'job.yaml');
  const files = {
    'plain.json': JSON.stringify(topology),
    'text.json': JSON.stringify(JSON.stringify(topology)),
    'model.json': JSON.stringify({ format: 'layers-model', modelTopology: topology }),
    'broken.json': '{"class_name":',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
});
afterAll(() => rm(directory, { recursive: true }));

const job = (model: unknown) => ({ name: 'a', model });

describe('withTopology', () => {
  it.each(['plain.json', 'text.json', 'model.json'])(
    'reads %s beside the job file',
    async (file) => {
      const fields = await withTopology(job({ family: 'layers', topology: file }), jobFile);
      expect(fields).toEqual(job({ family: 'layers', topology }));
    },
  );

  it.each([job({ family: 'layers', topology }), job({ family: 'resnet', depth: 18 }), job(null)])(
    'leaves %o as it is',
    async (fields) => {
      expect(await withTopology(fields, jobFile)).toBe(fields);
    },
  );

  it.each([
    ['broken.json', 'expected JSON'],
    ['absent.json', 'no such file'],
  ])('tells what is wrong with %s', async (file, reason) => {
    const read = withTopology(job({ family: 'layers', topology: file }), jobFile);
    await expect(read).rejects.toThrow(reason);
    await expect(read).rejects.toThrow(file);
  });
});
