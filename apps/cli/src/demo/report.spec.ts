import { describe, expect, it } from 'vitest';
import type { CheckpointView, JobView, WorkerView } from '@skipring/protocol';
import { makeStyle } from '../output/style.js';
import { describeRun, worstClasses } from './report.js';

const confusion = [
  [9, 1, 0, 0],
  [0, 10, 0, 0],
  [2, 3, 5, 0],
  [0, 0, 4, 6],
];
const evaluation = {
  step: 1,
  epoch: 1,
  loss: 0,
  accuracy: 0.75,
  samples: 40,
  confusion,
  worst: [],
};
const classes = ['a', 'b', 'c', 'd'];

describe('worstClasses', () => {
  it('orders by recall and names what a class is taken for', () => {
    expect(worstClasses(evaluation, classes)).toEqual([
      ['c', '50.00 %', 'b (3 of 10)'],
      ['d', '60.00 %', 'c (4 of 10)'],
      ['a', '90.00 %', 'b (1 of 10)'],
    ]);
  });
});

describe('describeRun', () => {
  const worker = (id: string, imagesPerSecond: number) => ({ id, imagesPerSecond }) as WorkerView;
  const checkpoint = (step: number, modelSha256: string, best: boolean) =>
    ({ step, modelSha256, best, path: `/checkpoints/${step}` }) as CheckpointView;
  const progress = { step: 160, totalSteps: 160, epoch: 4, totalEpochs: 5, imagesPerSecond: 201.4 };
  const text = describeRun({
    job: { name: 'demo', modelSha256: 'final', progress } as JobView,
    evaluation,
    classes,
    workers: [worker('local-2', 99.6), worker('local-1', 101)],
    checkpoints: [
      checkpoint(160, 'final', false),
      checkpoint(128, 'other', true),
      checkpoint(96, 'older', false),
    ],
    elapsedMs: 83_000,
    style: makeStyle(false),
  });

  it('names the checkpoint that holds the model of the hash it names', () => {
    expect(text).toContain('model SHA-256  final\ncheckpoint     /checkpoints/160');
  });

  it('tells the speed of each worker and of all', () => {
    expect(text).toMatch(/local-1 +101 images\/s\nlocal-2 +100 images\/s\ntogether +201 images\/s/);
  });

  it('tells time, epochs and steps', () => {
    expect(text).toContain('time 1m23s, 5 epochs, 160 steps');
  });
});
