import { CLEAN_DIGESTS, type CombineDigests } from './combine.js';
import { digest } from './digest.js';
import type { Sink } from './transport.js';
import { BLOCK_BYTES } from './wasm/shared-memory.js';

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

  finish(): CombineDigests {
    if (this.payload.byteLength > this.numDone) this.advance(this.payload.byteLength);
    return this.digests;
  }

  private advance(end: number): void {
    const { sink, numDone, digests } = this;
    const part = this.payload.subarray(numDone, end);
    if (sink instanceof Uint8Array) {
      const found = digest(part, digests.ofAddend);
      this.digests = { ofAddend: found, ofTarget: found };
    } else {
      this.digests = sink.add(part, numDone, digests);
    }
    this.numDone = end;
  }
}
