import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from './crc32c.js';
import { eventFile } from './tensorboard.js';

/** Written by the record writer and the protocol buffers of TensorBoard 2.21 (Python), in base64. */
const REFERENCE =
  'GAAAAAAAAACjf0siCQAAAED8VNlBGg1icmFpbi5FdmVudDoy7O2PnTcAAAAAAAAA5+jKWQkAABBA/FTZQRAB' +
  'KioKEQoKdHJhaW4vbG9zcxUAACBAChUKDnRyYWluL2FjY3VyYWN5FQAAAD7MT03pIAAAAAAAAAAp7alQCQAA' +
  'YEL8VNlBEKwCKhIKEAoJdGVzdC9sb3NzFc3MzD0ZfNmo';

describe('an event file', () => {
  it('is byte by byte what TensorBoard writes', () => {
    const bytes = eventFile(
      [
        {
          step: 1,
          timeMs: 1_700_000_000_250,
          epoch: 0,
          values: { 'train/loss': 2.5, 'train/accuracy': 0.125 },
        },
        { step: 300, timeMs: 1_700_000_009_500, epoch: 1, values: { 'test/loss': 0.1 } },
      ],
      1_700_000_000_000,
    );
    expect(Buffer.from(bytes).toString('base64')).toBe(REFERENCE);
  });
});

describe('CRC-32C', () => {
  it.each([
    ['123456789', 0xe3069283],
    ['', 0],
    ['\0'.repeat(32), 0x8a9136aa],
  ])('of %j is that of RFC 3720', (text, expected) => {
    expect(crc32c(Buffer.from(text))).toBe(expected);
  });

  it('is masked as TensorFlow does', () => {
    const value = crc32c(Buffer.from('foo'));
    const masked = maskedCrc32c(Buffer.from('foo'));
    const rotated = (masked - 0xa282ead8) >>> 0;
    expect(((rotated >>> 17) | (rotated << 15)) >>> 0).toBe(value);
  });
});
