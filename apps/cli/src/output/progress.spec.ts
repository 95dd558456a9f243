import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '@skipring/protocol';
import { ProgressView } from './progress.js';
import { makeStyle } from './style.js';

function stepEvent(step: number): JobEvent {
  return {
    id: String(step),
    time: '2026-01-01T00:00:00.000Z',
    jobId: 'j',
    type: 'step',
    metrics: {
      step,
      epoch: 0,
      cursor: step * 100,
      loss: 0.5,
      accuracy: 0.75,
      learningRate: 0.1,
      samples: 100,
      stepMs: 500,
    },
  };
}

function view(isTerminal: boolean): { view: ProgressView; text: () => string } {
  const stream = new PassThrough();
  const target = { stream, isTerminal, style: makeStyle(false) };
  return { view: new ProgressView(target, 10, 2), text: () => String(stream.read() ?? '') };
}

describe('ProgressView', () => {
  it('draws one line over and over on a terminal', () => {
    const { view: progress, text } = view(true);
    progress.show(stepEvent(1), 0);
    progress.show(stepEvent(5), 10);
    progress.close();
    const shown = text();
    expect(shown.split('\n')).toHaveLength(2);
    expect(shown).toContain('epoch 1/2 step 5/10 loss 0.5000 acc 75.00 % 200 images/s eta 3s');
  });

  it('writes a line now and then, and for the last step, to a log', () => {
    const { view: progress, text } = view(false);
    for (const [step, nowMs] of [
      [1, 10_000],
      [2, 10_100],
      [3, 16_000],
      [10, 16_100],
    ] as const) {
      progress.show(stepEvent(step), nowMs);
    }
    const steps = [...text().matchAll(/step (\d+)\/10/g)].map((match) => match[1]);
    expect(steps).toEqual(['1', '3', '10']);
  });
});
