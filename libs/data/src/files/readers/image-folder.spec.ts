import { mkdir, symlink } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAll } from '../../testing/read-all.js';
import { TemporaryDirectory } from '../../testing/temporary-directory.js';
import { DEFAULT_LIMITS } from '../limits.js';
import { openImageFolder } from './image-folder.js';

interface PngForm {
  readonly height?: number;
  readonly width?: number;
  /** PNG colour type: 0 gray, 2 RGB, 6 RGB with alpha. */
  readonly colourType?: 0 | 2 | 6;
  readonly alpha?: number;
}

/** A PNG whose pixel at index p is (p + shade, 2p, 3p), or gray p + shade. */
function png(shade: number, { height = 4, width = 3, colourType = 2, alpha = 255 }: PngForm = {}) {
  const image = new PNG({ height, width });
  for (let pixel = 0; pixel < height * width; pixel++) {
    const rgb =
      colourType === 0
        ? [pixel + shade, pixel + shade, pixel + shade]
        : [pixel + shade, 2 * pixel, 3 * pixel];
    image.data.set([...rgb, alpha], pixel * 4);
  }
  return PNG.sync.write(image, { colorType: colourType });
}

function jpegFile(height: number, width: number): Buffer {
  return jpeg.encode({ height, width, data: Buffer.alloc(height * width * 4, 200) }, 95).data;
}

/** Replaces bytes of the IHDR chunk and what follows, to declare what is not there. */
function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

describe('openImageFolder', () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await TemporaryDirectory.create();
    await directory.write('train/bee/2.png', png(2));
    await directory.write('train/ant/1.PNG', png(0));
    await directory.write('train/ant/10.png', png(1));
    await directory.write('train/ant/.hidden', 'no image');
    await directory.write('test/bee/a.png', png(3));
  });
  afterEach(() => directory.remove());

  async function readBoth(limits = DEFAULT_LIMITS) {
    const source = await openImageFolder(directory.path, limits);
    const { train, test } = source.splits;
    return { source, train: await readAll(train), test: await readAll(test) };
  }

  it('reads PNG images by class, in sorted order', async () => {
    const { source, train, test } = await readBoth();
    expect(source).toMatchObject({ height: 4, width: 3, channels: 3, classes: ['ant', 'bee'] });
    expect(train.labels).toEqual([0, 0, 1]);
    expect(test.labels).toEqual([1]);
    const pixels = Array.from({ length: 12 }, (_, p) => [p + 3, 2 * p, 3 * p]).flat();
    expect(test.pixels).toEqual(pixels);
  });

  it('reads gray images as one channel', async () => {
    for (const name of [
      'train/bee/2.png',
      'train/ant/1.PNG',
      'train/ant/10.png',
      'test/bee/a.png',
    ]) {
      await directory.write(name, png(5, { colourType: 0 }));
    }
    const { source, test } = await readBoth();
    expect(source.channels).toBe(1);
    expect(test.pixels).toEqual(Array.from({ length: 12 }, (_, p) => p + 5));
  });

  it('reads JPEG images beside PNG ones, and an opaque alpha channel', async () => {
    await directory.write('train/bee/3.jpg', jpegFile(4, 3));
    await directory.write('train/bee/4.jpeg', jpegFile(4, 3));
    await directory.write('train/bee/5.png', png(0, { colourType: 6 }));
    const { train } = await readBoth();
    expect(train.labels).toEqual([0, 0, 1, 1, 1, 1]);
    const gray = train.pixels.slice(3 * 36, 5 * 36);
    expect(gray.every((byte) => Math.abs(byte - 200) <= 2)).toBe(true);
    expect(train.pixels.slice(5 * 36)).toEqual(train.pixels.slice(0, 36));
  });

  const good = png(0);
  const goodJpeg = jpegFile(4, 3);
  const wrongChecksum = patched(good, good.length - 20, good[good.length - 20]! ^ 0xff);

  it.each([
    ['text named .png', 'train/bee/3.png', Buffer.from('not an image'), 'UNREADABLE_IMAGE'],
    ['an empty file', 'train/bee/3.png', Buffer.alloc(0), 'UNREADABLE_IMAGE'],
    ['a PNG cut inside its header', 'train/bee/3.png', good.subarray(0, 20), 'UNREADABLE_IMAGE'],
    ['a PNG cut inside its pixels', 'train/bee/3.png', good.subarray(0, -30), 'UNREADABLE_IMAGE'],
    ['a damaged PNG', 'train/bee/3.png', wrongChecksum, 'UNREADABLE_IMAGE'],
    [
      'a PNG that does not start with IHDR',
      'train/bee/3.png',
      patched(good, 12, 65),
      'UNREADABLE_IMAGE',
    ],
    [
      'a JPEG cut inside its header',
      'train/bee/3.jpg',
      goodJpeg.subarray(0, 60),
      'UNREADABLE_IMAGE',
    ],
    [
      'a JPEG cut inside its pixels',
      'train/bee/3.jpg',
      goodJpeg.subarray(0, -8),
      'UNREADABLE_IMAGE',
    ],
    ['another size', 'train/bee/3.png', png(0, { height: 5 }), 'SHAPE_MISMATCH'],
    ['another size in the test split', 'test/bee/b.jpg', jpegFile(3, 4), 'SHAPE_MISMATCH'],
    ['a gray image among RGB ones', 'train/bee/3.png', png(0, { colourType: 0 }), 'SHAPE_MISMATCH'],
    [
      'a transparent image',
      'train/bee/3.png',
      png(0, { colourType: 6, alpha: 254 }),
      'UNSUPPORTED_IMAGE',
    ],
    ['an image of no width', 'train/bee/3.png', patched(good, 19, 0), 'UNSUPPORTED_SHAPE'],
    ['an image that is too large', 'train/ant/0.png', png(0, { width: 65 }), 'UNSUPPORTED_SHAPE'],
    [
      'a file far larger than its image',
      'train/bee/3.png',
      Buffer.concat([good, Buffer.alloc(2 ** 21)]),
      'TOO_LARGE',
    ],
    ['a file that is no image', 'train/bee/notes.txt', Buffer.from('x'), 'UNEXPECTED_ENTRY'],
    ['a file beside the classes', 'train/notes.txt', Buffer.from('x'), 'UNEXPECTED_ENTRY'],
    ['a class that training lacks', 'test/cat/1.png', good, 'UNKNOWN_CLASS'],
  ] as const)('refuses %s', async (_, name, bytes, code) => {
    await directory.write(name, bytes);
    const error = await readBoth({ ...DEFAULT_LIMITS, side: 64 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code });
    const { file } = error as { file: string };
    expect(directory.at(name).startsWith(file), file).toBe(true);
  });

  it('refuses an interlaced PNG that inflates to more than its image', async () => {
    await directory.write('train/bee/3.png', interlacedBomb());
    await expect(readBoth()).rejects.toMatchObject({
      code: 'UNREADABLE_IMAGE',
      cause: { code: 'ERR_BUFFER_TOO_LARGE' },
    });
  });

  it('refuses links, empty splits, and fewer than two classes', async () => {
    await mkdir(directory.at('empty/train/ant'), { recursive: true });
    const empty = openImageFolder(directory.at('empty'), DEFAULT_LIMITS);
    await expect(empty).rejects.toMatchObject({ code: 'TOO_FEW_CLASSES' });
    await mkdir(directory.at('empty/train/bee'), { recursive: true });
    await mkdir(directory.at('empty/test'), { recursive: true });
    const still = openImageFolder(directory.at('empty'), DEFAULT_LIMITS);
    await expect(still).rejects.toMatchObject({ code: 'EMPTY_SPLIT' });
    await symlink(directory.at('train/ant/1.PNG'), directory.at('train/bee/link.png'));
    await expect(readBoth()).rejects.toMatchObject({ code: 'UNEXPECTED_ENTRY' });
    const none = openImageFolder(directory.at('none'), DEFAULT_LIMITS);
    await expect(none).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses more images than the limit', async () => {
    const few = { ...DEFAULT_LIMITS, samples: 2 };
    await expect(readBoth(few)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

/** A 4x3 RGB header with the interlace flag, and 8 MiB of zeros deflated to 8 KiB. */
function interlacedBomb(): Buffer {
  const header = Buffer.from(png(0).subarray(0, 33));
  header[28] = 1;
  header.writeUInt32BE(crc32(header.subarray(12, 29)), 29);
  const data = Buffer.concat([Buffer.from('IDAT'), deflateSync(Buffer.alloc(8 * 2 ** 20))]);
  const end = Buffer.from('0000000049454e44ae426082', 'hex');
  return Buffer.concat([header, uint32(data.length - 4), data, uint32(crc32(data)), end]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** CRC-32 of the PNG specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
