import { describe, expect, it } from 'vitest';
import { idsIn } from './ids-in.js';

describe('the ids in a text', () => {
  const [job, sweep] = ['job-0mx22hgph7fa1cf4211', 'sweep-0mx22hgq0b0cabcd134'];

  it('are those of jobs and sweeps, each with its page', () => {
    expect(idsIn(`used by ${job}, ${sweep} and 2 more`)).toEqual([
      { text: 'used by ', to: null },
      { text: job, to: `/jobs/${job}` },
      { text: ', ', to: null },
      { text: sweep, to: `/sweeps/${sweep}` },
      { text: ' and 2 more', to: null },
    ]);
    expect(idsIn(job)).toEqual([{ text: job, to: `/jobs/${job}` }]);
  });

  it('are not what only looks like one', () => {
    for (const text of ['job-1 waits', `a${job}`, 'job-ABCDEFGHIJKLMNOP']) {
      expect(idsIn(text)).toEqual([{ text, to: null }]);
    }
  });
});
