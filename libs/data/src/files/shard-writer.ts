import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Shard, SplitName } from '@skipring/protocol';
import { LABEL_BYTES } from '../samples/geometry.js';
import type { SampleChunk } from './source.js';

/** Shards are about this large: small enough to fetch again, large enough to be few. */
export const SHARD_BYTES = 8 * 2 ** 20;

interface OpenShard {
  readonly file: string;
  readonly handle: FileHandle;
  readonly hash: Hash;
  readonly firstSample: number;
  samples: number;
}

/** Writes the records of one split into consecutive shards of one directory. */
export class ShardWriter {
  readonly shards: Shard[] = [];
  private current: OpenShard | undefined;
  private numSamples = 0;
  private readonly recordBytes: number;
  private readonly samplesPerShard: number;

  constructor(
    private readonly directory: string,
    private readonly split: SplitName,
    private readonly pixelBytes: number,
    shardBytes: number = SHARD_BYTES,
  ) {
    this.recordBytes = LABEL_BYTES + pixelBytes;
    this.samplesPerShard = Math.max(1, Math.floor(shardBytes / this.recordBytes));
  }

  get samples(): number {
    return this.numSamples;
  }

  async write(chunk: SampleChunk): Promise<void> {
    for (let first = 0; first < chunk.samples;) {
      const shard = (this.current ??= await this.next());
      const samples = Math.min(chunk.samples - first, this.samplesPerShard - shard.samples);
      const records = this.records(chunk, first, samples);
      shard.hash.update(records);
      await shard.handle.appendFile(records);
      shard.samples += samples;
      this.numSamples += samples;
      first += samples;
      if (shard.samples === this.samplesPerShard) await this.finish();
    }
  }

  /** Ends the last shard: its bytes are on disk afterwards. */
  async finish(): Promise<void> {
    const shard = this.current;
    if (shard === undefined) return;
    this.current = undefined;
    await shard.handle.sync();
    await shard.handle.close();
    this.shards.push({
      file: shard.file,
      firstSample: shard.firstSample,
      samples: shard.samples,
      bytes: shard.samples * this.recordBytes,
      sha256: shard.hash.digest('hex'),
    });
  }

  /** Closes the open file after a failure. */
  async abort(): Promise<void> {
    await this.current?.handle.close();
    this.current = undefined;
  }

  private async next(): Promise<OpenShard> {
    const number = String(this.shards.length).padStart(5, '0');
    const file = `${this.split}-${number}.bin`;
    const handle = await open(join(this.directory, file), 'wx');
    return { file, handle, hash: createHash('sha256'), firstSample: this.numSamples, samples: 0 };
  }

  private records(chunk: SampleChunk, first: number, samples: number): Uint8Array {
    const records = new Uint8Array(samples * this.recordBytes);
    for (let index = 0; index < samples; index++) {
      const label = chunk.labels[first + index]!;
      const start = (first + index) * this.pixelBytes;
      const at = index * this.recordBytes;
      records[at] = label & 0xff;
      records[at + 1] = label >> 8;
      records.set(chunk.pixels.subarray(start, start + this.pixelBytes), at + LABEL_BYTES);
    }
    return records;
  }
}
