import { describe, expect, it } from 'vitest';
import { limitsText } from './limits-text.js';

const none = { requestsPerSecond: null, openJobs: null, workers: null, storageBytes: null };

describe('limitsText', () => {
  it('names the limits that there are', () => {
    expect(limitsText(none)).toBe('none of its own');
    expect(limitsText({ ...none, openJobs: 1, storageBytes: 2_000_000_000 })).toBe(
      '1 open job, 2.00 GB stored',
    );
    expect(limitsText({ ...none, requestsPerSecond: 1_000, workers: 8 })).toBe(
      '1,000 requests/s, 8 workers',
    );
  });
});
