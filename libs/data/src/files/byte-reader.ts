import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { pipeline, type Readable } from 'node:stream';
import { DataError, type DataErrorPlace } from '../error.js';

/**
 * Reads a file from start to end in exact pieces. A gzip file (by its first two bytes) is
 * decompressed on the way: only what is asked for is ever held, so a decompression bomb is cut off
 * where its own header says that it ends.
 */
export class ByteReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private pending: Buffer = Buffer.alloc(0);
  private offset = 0;

  private constructor(
    readonly file: string,
    private readonly stream: Readable,
  ) {
    this.chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Opens lazily: a missing file is reported by the first read. */
  static async open(file: string): Promise<ByteReader> {
    const raw = createReadStream(file, { highWaterMark: 1 << 18 });
    if (!(await isGzip(file))) return new ByteReader(file, raw);
    const gunzip = createGunzip({ chunkSize: 1 << 18 });
    // The error also destroys `gunzip`, whose iterator then reports it.
    pipeline(raw, gunzip, () => undefined);
    return new ByteReader(file, gunzip);
  }

  /** Offset in the (decompressed) content of the next byte to be read. */
  get position(): number {
    return this.offset;
  }

  /** Exactly `length` bytes, a copy. Throws DataError TRUNCATED if the file ends before. */
  async read(length: number, what: string): Promise<Buffer> {
    const result = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      if (this.pending.length === 0 && !(await this.more())) {
        const expected = `expected ${length} bytes of ${what}, the file ends after ${filled}`;
        throw new DataError('TRUNCATED', expected, this.place(filled));
      }
      const copied = this.pending.copy(result, filled, 0, length - filled);
      this.pending = this.pending.subarray(copied);
      filled += copied;
    }
    this.offset += length;
    return result;
  }

  /** Throws DataError TRAILING_BYTES unless the file ends here. */
  async expectEnd(what: string): Promise<void> {
    if (this.pending.length > 0 || (await this.more())) {
      throw new DataError('TRAILING_BYTES', `expected the file to end after ${what}`, this.place());
    }
  }

  /** Closes the file; safe to call at any time and twice. */
  close(): void {
    this.stream.destroy();
  }

  private place(extra = 0): DataErrorPlace {
    return { file: this.file, position: this.offset + extra };
  }

  private async more(): Promise<boolean> {
    try {
      const next = await this.chunks.next();
      if (next.done === true) return false;
      this.pending = next.value;
      return true;
    } catch (error) {
      throw readError(error, this.place());
    }
  }
}

async function isGzip(file: string): Promise<boolean> {
  try {
    for await (const chunk of createReadStream(file, { start: 0, end: 1 })) {
      const bytes = chunk as Buffer;
      return bytes[0] === 0x1f && bytes[1] === 0x8b;
    }
    return false;
  } catch (error) {
    throw readError(error, { file });
  }
}

/** zlib's codes start with Z_; the rest are the file system's. */
function readError(error: unknown, place: DataErrorPlace): DataError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') {
    return new DataError('TRUNCATED', 'the compressed data ends early', place, { cause: error });
  }
  if (code?.startsWith('Z_') === true) {
    return new DataError('DAMAGED_GZIP', `not valid gzip data (${message})`, place, {
      cause: error,
    });
  }
  return new DataError('READ_FAILED', `cannot be read (${code ?? message})`, place, {
    cause: error,
  });
}
