import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '@skipring/protocol';
import { ProgressView } from './progress.js';
import { makeStyle } from './style.js';

const base = { id: '1', time: '2026-01-01T00:00:00.000Z', jobId: 'j' };

/** @param timeMs since some moment */
function stepEvent(step: number, timeMs = 0): JobEvent {
  return {
    ...base,
    time: new Date(Date.parse(base.time) + timeMs).toISOString(),
    type: 'step',
    metrics: {
      step,
      epoch: step > 5 ? 1 : 0,
      cursor: step * 100,
      loss: 0.5,
      accuracy: 0.75,
      learningRate: 0.1,
      samples: 100,
      stepMs: 500,
    },
  };
}

const stateEvent = (state: 'pending' | 'running' | 'succeeded', reason: string): JobEvent => ({
  ...base,
  type: 'state',
  state,
  reason,
  attempt: 1,
});

const generationEvent: JobEvent = {
  ...base,
  type: 'generation',
  attempt: 1,
  generation: 1,
  workers: ['a', 'b'],
  step: 0,
  reason: '2 workers',
};

const evaluationEvent: JobEvent = {
  ...base,
  type: 'evaluation',
  result: { step: 10, epoch: 1, loss: 0.1, accuracy: 0.9, samples: 10, confusion: [], worst: [] },
};

function view(isTerminal: boolean, columns = 120): { view: ProgressView; text: () => string } {
  const stream = new PassThrough();
  const target = { stream, isTerminal, columns: () => columns, style: makeStyle(false) };
  return { view: new ProgressView(target, 10, 2), text: () => String(stream.read() ?? '') };
}

describe('ProgressView', () => {
  it('draws one line over and over on a terminal', () => {
    const { view: progress, text } = view(true);
    progress.show(stepEvent(1));
    progress.show(stepEvent(5));
    progress.close();
    const shown = text();
    expect(shown.split('\n')).toHaveLength(2);
    expect(shown).toContain('epoch 1/2 step 5/10 loss 0.5000 acc 75.00 % 200 images/s eta 3s');
  });

  it.each([20, 60, 70, 80, 200])('keeps that line within %i columns', (columns) => {
    const { view: progress, text } = view(true, columns);
    progress.show(stateEvent('pending', 'waits '.repeat(50)));
    progress.show(stepEvent(5));
    // eslint-disable-next-line no-control-regex
    const lines = text().split(/\r\u001b\[2K/);
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.length).toBeLessThan(columns);
  });

  it('reckons the time left by whole steps, also after the short last one of an epoch', () => {
    const { view: progress, text } = view(true);
    progress.show(stepEvent(4));
    const short = stepEvent(5) as Extract<JobEvent, { type: 'step' }>;
    progress.show({ ...short, metrics: { ...short.metrics, samples: 10, stepMs: 50 } });
    expect(text()).toContain('step 5/10 loss 0.5000 acc 75.00 % 200 images/s eta 2s');
  });

  it('writes a line now and then, and for the last step, to a log', () => {
    const { view: progress, text } = view(false);
    for (const [step, timeMs] of [
      [1, 10_000],
      [2, 10_100],
      [3, 16_000],
      [10, 16_100],
    ] as const) {
      progress.show(stepEvent(step, timeMs));
    }
    const steps = [...text().matchAll(/step (\d+)\/10/g)].map((match) => match[1]);
    expect(steps).toEqual(['1', '3', '10']);
  });

  it('says each thing once, with epochs from 1', () => {
    const { view: progress, text } = view(false);
    for (const event of [
      stateEvent('pending', 'waits for its turn'),
      stateEvent('running', 'generation 1: 2 workers'),
      generationEvent,
      stepEvent(10),
      evaluationEvent,
      stateEvent('succeeded', 'all steps are done'),
    ]) {
      progress.show(event);
    }
    progress.close();
    expect(text().split('\n')).toEqual([
      'pending: waits for its turn',
      'preparing generation 1: 2 workers',
      'training from step 0 on a, b',
      'epoch 2/2 step 10/10 loss 0.5000 acc 75.00 % 200 images/s eta 0s',
      'epoch 2/2: test accuracy 90.00 %, loss 0.1000',
      'succeeded: all steps are done',
      '',
    ]);
  });

  it('leaves on a terminal only what stays true', () => {
    const { view: progress, text } = view(true);
    progress.show(stateEvent('pending', 'waits for its turn'));
    progress.show(generationEvent);
    progress.show(stepEvent(1));
    progress.show(stateEvent('succeeded', 'all steps are done'));
    const left = text()
      .split('\n')
      // eslint-disable-next-line no-control-regex
      .map((line) => line.replace(/^[^]*\u001b\[2K/, ''));
    expect(left).toEqual(['training from step 0 on a, b', 'succeeded: all steps are done', '']);
  });
});
