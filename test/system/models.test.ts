import type { JobSpecInput } from '@skipring/protocol';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addGlyphs, runJob, smallJob, startCluster } from '../support/cluster.js';

const adamw: Partial<JobSpecInput> = {
  training: {
    epochs: 1,
    learningRate: 0.002,
    weightDecay: 0.05,
    optimizer: { kind: 'adamw' },
    gradientClipNorm: 1,
  },
};

const jobs: [string, Partial<JobSpecInput>][] = [
  ['DenseNet', { ...adamw, model: { family: 'densenet-cifar', depth: 7, growthRate: 4 } }],
  [
    'a pre-activation network in bfloat16',
    {
      ...adamw,
      model: { family: 'resnet-cifar', depth: 8, preActivation: true },
      precision: 'bfloat16',
    },
  ],
  [
    'a model of layers with dropout',
    {
      ...adamw,
      model: { family: 'layers', topology: readJson('../../docs/examples/own-model.json') },
    },
  ],
  [
    'a wide network with dropout',
    { ...adamw, model: { family: 'wide-resnet', depth: 10, width: 1, dropout: 0.3 } },
  ],
  [
    'the moving average of a small network',
    { training: { ...adamw.training!, weightAverage: { decay: 0.9 } } },
  ],
];

function readJson(path: string): never {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as never;
}

describe('jobs with AdamW and a clipped gradient', { timeout: 900_000 }, () => {
  it('end with the same model on 1 and 2 workers', async () => {
    const hashes = new Map(jobs.map(([name]) => [name, new Set<string>()]));
    for (const numWorkers of [1, 2]) {
      const { client, stop } = await startCluster(numWorkers);
      try {
        const dataSet = await addGlyphs(client, 150, 40);
        for (const [name, changes] of jobs) {
          const spec = smallJob(dataSet, { ...changes, workers: { min: numWorkers } });
          hashes.get(name)!.add(await runJob(client, spec));
        }
      } finally {
        await stop();
      }
    }
    for (const [name, found] of hashes) expect(found.size, name).toBe(1);
    expect(new Set([...hashes.values()].flatMap((found) => [...found])).size).toBe(jobs.length);
  });
});
