import { describe, expect, it } from 'vitest';
import { describeTuning } from './describe-tuning.js';

describe('describeTuning', () => {
  it('shows what was measured, what is faster and what to set', () => {
    const text = describeTuning({
      worldSize: 2,
      algorithms: [
        { bytes: 1_024, exchangeMs: 0.05, ringMs: 0.1 },
        { bytes: 65_536, exchangeMs: 0.3, ringMs: 0.2 },
      ],
      segments: [
        { bytes: 32e6, segmentBytes: 1_048_576, ms: 2.25 },
        { bytes: 32e6, segmentBytes: 131_072, ms: 12.25 },
      ],
      present: { exchangeLimitBytes: 16_384, segmentBytes: 1_048_576 },
      best: { exchangeLimitBytes: 1_024, segmentBytes: 1_048_576 },
    });
    expect(text.split('\n')).toEqual([
      'all-reduce of int32 over 2 ranks, ms (median, of the slowest rank)',
      '',
      'vector  exchange  ring   faster',
      '1 KiB   0.050     0.100  exchange 2.00x',
      '64 KiB  0.300     0.200  ring 1.50x',
      '',
      'ring, segments of  32 MB',
      '128 KiB at most    12.3',
      '1 MiB at most      2.250',
      '',
      'best, as variables of the coordinator:',
      '  SKIPRING_RING_EXCHANGE_LIMIT_BYTES=1024',
      '  SKIPRING_RING_SEGMENT_BYTES=1048576   # as it is without',
    ]);
  });
});
