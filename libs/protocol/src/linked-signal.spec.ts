import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { linkedSignal } from './linked-signal.js';

describe('a linked signal', () => {
  it('fires with the first of those that it follows, with its reason', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const { signal } = linkedSignal([one.signal, other.signal]);
    expect(signal.aborted).toBe(false);
    other.abort('enough');
    one.abort('too late');
    expect(signal.reason).toBe('enough');
    expect(linkedSignal([one.signal]).signal.reason).toBe('too late');
  });

  it('leaves nothing behind in what it followed', () => {
    const closing = new AbortController();
    const { signal, release } = linkedSignal([closing.signal]);
    expect(getEventListeners(closing.signal, 'abort')).toHaveLength(1);
    release();
    expect(getEventListeners(closing.signal, 'abort')).toHaveLength(0);
    closing.abort();
    expect(signal.aborted).toBe(false);
  });
});
