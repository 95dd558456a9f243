import { CLEAN_DIGESTS, type CombineDigests } from './combine.js';
import { digest } from './digest.js';
import type { Sink } from './transport.js';
import { BLOCK_BYTES } from './wasm/shared-memory.js';

/** Fills `target` with the bytes of a payload from `begin` on. */
export type PayloadSource = (begin: number, target: Uint8Array) => void;

/** Pulled at a time, whole blocks: what is worked on next is then still in the processor's cache. */
const PULL_BYTES = 4 * BLOCK_BYTES;

/**
 * Works on the payload of one segment while it arrives, block by block: what the system has just put
 * into memory is still in the processor's cache. What is done before the checksum was compared can
 * be undone by nobody, but then the whole collective fails.
 */
export class Intake {
  private numDone = 0;
  private digests: CombineDigests = CLEAN_DIGESTS;

  constructor(
    private readonly sink: Sink,
    /** The sink itself, if it is bytes; else it begins at a multiple of 8. */
    private readonly payload: Uint8Array,
  ) {}

  /** So many bytes of the payload are there; all of them come to `finish`. */
  take(numBytes: number): void {
    const numWhole = numBytes - (numBytes % BLOCK_BYTES);
    if (numWhole > this.numDone) this.advance(numWhole);
  }

  /**
   * Takes all of the payload from where it lies. What is not stored as it is goes through the beginning of
   * the place for it, again and again, which stays in the cache.
   */
  pull(source: PayloadSource): void {
    const { byteLength } = this.payload;
    for (let begin = 0; begin < byteLength; begin += PULL_BYTES) {
      const end = Math.min(byteLength, begin + PULL_BYTES);
      const at = this.sink instanceof Uint8Array ? begin : 0;
      const part = this.payload.subarray(at, at + end - begin);
      source(begin, part);
      this.add(part);
    }
  }

  finish(): CombineDigests {
    if (this.payload.byteLength > this.numDone) this.advance(this.payload.byteLength);
    return this.digests;
  }

  private advance(end: number): void {
    this.add(this.payload.subarray(this.numDone, end));
  }

  private add(part: Uint8Array): void {
    const { sink, numDone, digests } = this;
    if (sink instanceof Uint8Array) {
      const found = digest(part, digests.ofAddend);
      this.digests = { ofAddend: found, ofTarget: found };
    } else {
      this.digests = sink.add(part, numDone, digests);
    }
    this.numDone += part.byteLength;
  }
}
