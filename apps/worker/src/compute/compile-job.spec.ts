import { loadTensorFlow } from '@skipring/graph';
import { numKept } from '@skipring/graph/testing';
import { layerZoo, topologyOf, ZOO_CLASSES, ZOO_INPUT } from '@skipring/nn/testing';
import { jobSpecSchema, type DataSetManifest } from '@skipring/protocol';
import { beforeAll, expect, it } from 'vitest';
import { compileJob } from './compile-job.js';

beforeAll(async () => {
  await loadTensorFlow({ threads: 1, device: 'cpu' });
});

const manifest = {
  ...ZOO_INPUT,
  classes: Array.from({ length: ZOO_CLASSES }, (_, index) => String(index)),
  splits: { train: { samples: 20 }, test: { samples: 7 } },
} as unknown as DataSetManifest;

/** All of a job on this worker, from its first generation to its end. */
function runJob(model: object): void {
  const spec = jobSpecSchema.parse({
    apiVersion: 'skipring/v1',
    name: 'made-up',
    model,
    data: { dataSet: 'made-up' },
    training: { steps: 10 },
    lanes: { count: 2, size: 4 },
    statistics: { everySteps: 5 },
    checkpoints: {},
  });
  compileJob(spec, manifest).dispose();
}

function zooTopology(): unknown {
  const zoo = layerZoo();
  const topology = topologyOf(zoo);
  zoo.dispose();
  return topology;
}

it('nothing is left of a job that has ended, however many there were', () => {
  const models = [
    { family: 'resnet-cifar', depth: 8 },
    { family: 'wide-resnet', depth: 10, width: 1, dropout: 0.3 },
    { family: 'layers', topology: zooTopology() },
  ];
  for (const model of models) runJob(model);
  const before = numKept();
  for (const model of models) runJob(model);
  expect(numKept()).toEqual(before);
});
