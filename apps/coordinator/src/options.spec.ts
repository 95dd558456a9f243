import { describe, expect, it } from 'vitest';
import { readOptions } from './options.js';

describe('readOptions', () => {
  it('leaves to the collective what is not set about rings', () => {
    expect(readOptions({}).ring).toEqual({});
    const set = {
      SKIPRING_RING_EXCHANGE_LIMIT_BYTES: '0',
      SKIPRING_RING_SEGMENT_BYTES: '262144',
    };
    expect(readOptions(set).ring).toEqual({ exchangeLimitBytes: 0, segmentBytes: 262_144 });
  });

  it.each([
    ['SKIPRING_RING_EXCHANGE_LIMIT_BYTES', '-1'],
    ['SKIPRING_RING_EXCHANGE_LIMIT_BYTES', '16777217'],
    ['SKIPRING_RING_SEGMENT_BYTES', '4096'],
    ['SKIPRING_RING_SEGMENT_BYTES', '1 MiB'],
  ])('names %s=%s', (name, value) => {
    expect(() => readOptions({ [name]: value })).toThrow(`${name}="${value}": `);
  });
});
