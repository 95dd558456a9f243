import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applySettings, checkSpec, readJobFile } from './job-file.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipring-job-file-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function fileOf(text: string): Promise<string> {
  const path = join(directory, 'job.yaml');
  await writeFile(path, text);
  return path;
}

const fields = {
  name: 'a',
  model: { family: 'resnet-cifar', depth: 20 },
  data: { dataSet: 'glyphs' },
  training: { epochs: 1 },
};

describe('readJobFile', () => {
  it('reads YAML with comments', async () => {
    const { fields } = await readJobFile(await fileOf('name: a # why\ntraining: { epochs: 2 }'));
    expect(fields).toEqual({ name: 'a', training: { epochs: 2 } });
  });

  it('names line and column of a syntax error', async () => {
    await expect(readJobFile(await fileOf('a: 1\nb: [1, 2\n'))).rejects.toThrow(/line 3/);
  });

  it('knows where each field stands, and where one is missing', async () => {
    const path = await fileOf('# a job\nname: a\ntraining:\n  epochs: 2\n  rates: [1, { x: 2 }]\n');
    const { place } = await readJobFile(path);
    expect(place('/name')).toBe(`${path}:2:1`);
    expect(place('/training/epochs')).toBe(`${path}:4:3`);
    expect(place('/training/rates/1/x')).toBe(`${path}:5:16`);
    expect(place('/training/steps')).toBe(`${path}:3:1`);
    expect(place('/model')).toBeNull();
  });

  it('refuses a file that is no mapping, and one that is absent', async () => {
    await expect(readJobFile(await fileOf('- 1'))).rejects.toThrow('expected a mapping');
    await expect(readJobFile(await fileOf('a: &x 1\nb: *x'))).rejects.toThrow('no aliases');
    await expect(readJobFile(join(directory, 'absent'))).rejects.toThrow('cannot read');
  });
});

describe('applySettings', () => {
  it('sets nested fields with YAML values and leaves the input as it was', () => {
    const result = applySettings(fields, [
      'training.epochs=3',
      'workers.min=2',
      'model.shortcuts=false',
    ]);
    expect(result).toMatchObject({
      training: { epochs: 3 },
      workers: { min: 2 },
      model: { depth: 20, shortcuts: false },
    });
    expect(fields.training.epochs).toBe(1);
  });

  it.each(['training', '=3', '__proto__.x=1', 'a..b=1', 'name.x=1', 'seed=[1', 'seed={a: *x}'])(
    'refuses %s',
    (setting) => {
      expect(() => applySettings(fields, [setting])).toThrow(`--set ${setting}`);
    },
  );
});

describe('checkSpec', () => {
  it('accepts a spec and adds the API version', () => {
    expect(checkSpec(fields)).toMatchObject({ apiVersion: 'skipring/v1', name: 'a' });
  });

  it('names all problems at once', () => {
    const wrong = {
      ...fields,
      model: { family: 'resnet-cifar', depth: 21 },
      training: { epochs: 0 },
      extra: 1,
    };
    expect(() => checkSpec(wrong)).toThrow(
      /model\.depth: 21: [^]*training\.epochs: 0: expected [^]*extra: 1: no such field/,
    );
  });
});
