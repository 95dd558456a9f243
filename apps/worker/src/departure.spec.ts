import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Departure } from './departure.js';

const GRACE_MS = 30_000;

describe('departure', () => {
  const done: string[] = [];
  const graces: number[] = [];
  let departure: Departure;

  beforeEach(() => {
    vi.useFakeTimers();
    done.length = 0;
    graces.length = 0;
    const actions = {
      sendLeave: (reason: string, graceMs: number) => {
        graces.push(graceMs);
        done.push(`leave ${reason}`);
      },
      shutDown: (exitCode: number) => done.push(`shut down ${exitCode}`),
      exitNow: (exitCode: number) => done.push(`exit ${exitCode}`),
    };
    departure = new Departure(actions, GRACE_MS);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks to be drained at the first signal, and exits with 0 once released', () => {
    departure.connected();
    departure.signalled('SIGTERM');
    expect(done).toEqual(['leave SIGTERM']);
    departure.end(0);
    vi.runAllTimers();
    expect(done).toEqual(['leave SIGTERM', 'shut down 0']);
  });

  it('exits at once at the second signal, whichever it is', () => {
    departure.connected();
    departure.signalled('SIGTERM');
    departure.signalled('SIGINT');
    expect(done).toEqual(['leave SIGTERM', 'exit 1']);
  });

  it('exits at once at a signal while it shuts down', () => {
    departure.end(0);
    departure.signalled('SIGTERM');
    expect(done).toEqual(['shut down 0', 'exit 1']);
  });

  it('shuts down at the first signal when there is no coordinator', () => {
    departure.signalled('SIGTERM');
    expect(done).toEqual(['shut down 0']);
  });

  it('counts a lost coordinator as none', () => {
    departure.connected();
    departure.disconnected();
    departure.signalled('SIGINT');
    expect(done).toEqual(['shut down 0']);
  });

  it('tells a coordinator that came back that it leaves', () => {
    departure.connected();
    departure.signalled('SIGTERM');
    departure.disconnected();
    departure.connected();
    expect(done).toEqual(['leave SIGTERM', 'leave SIGTERM']);
  });

  it('does not ask to be drained by a coordinator that merely came back', () => {
    departure.connected();
    departure.disconnected();
    departure.connected();
    expect(done).toEqual([]);
  });

  it('shuts down with 1 when nobody releases it in time', () => {
    departure.connected();
    departure.signalled('SIGTERM');
    vi.advanceTimersByTime(29_999);
    expect(done).toEqual(['leave SIGTERM']);
    vi.advanceTimersByTime(1);
    expect(done).toEqual(['leave SIGTERM', 'shut down 1']);
  });
});
