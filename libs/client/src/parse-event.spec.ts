import { describe, expect, it } from 'vitest';
import { ResponseError } from './errors.js';
import { parseEvent } from './parse-event.js';

const event = {
  id: '1-0',
  time: '2026-05-01T12:00:00.000Z',
  jobId: 'job-1',
  type: 'log',
  level: 'info',
  message: 'hello',
};

describe('parseEvent', () => {
  it('takes an event of this version', () => {
    expect(parseEvent(JSON.stringify(event))).toEqual(event);
  });

  it('passes over a kind that only a later version knows', () => {
    expect(parseEvent(JSON.stringify({ ...event, type: 'weather', wind: 3 }))).toBeNull();
  });

  it.each(['{', '7', '{}', JSON.stringify({ ...event, level: 'loud' })])('refuses %s', (text) => {
    expect(() => parseEvent(text)).toThrow(ResponseError);
  });
});
