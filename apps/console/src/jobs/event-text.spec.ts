import { describe, expect, it } from 'vitest';
import { levelOf, textOf } from './event-text.js';
import type { OtherEvent } from './job-history.js';

const base = { id: '1-0', time: '2026-05-01T12:00:00.000Z', jobId: 'job-1' };

describe('the text of an event', () => {
  it('says what happened', () => {
    const fault: OtherEvent = {
      ...base,
      type: 'state',
      state: 'failed',
      reason: 'no worker is left',
      attempt: 1,
    };
    expect(textOf(fault)).toBe('failed: no worker is left');
    expect(levelOf(fault)).toBe('error');
  });

  it('of a kind that it has no words for are its fields', () => {
    const event = {
      ...base,
      type: 'slowWorkers',
      level: 'warn',
      workerIds: ['w1', 'w2'],
      lagShare: 1.23456,
      step: 1200,
      reason: null,
    } as unknown as OtherEvent;
    expect(textOf(event)).toBe('worker ids w1 and w2, lag share 1.235, step 1,200');
    expect(levelOf(event)).toBe('warn');
  });
});
