import type { Transport } from './transport.js';

/** A ring whose ranks all live in this process. */
export interface TransportGroup {
  /** By rank. */
  readonly transports: readonly Transport[];
  /** Takes a rank off the ring without a word, as the death of its process would. */
  crash(rank: number): void;
  /** Closes what is left. */
  close(): Promise<void>;
}

export interface GroupOptions {
  /** Default of the ring's collectives. */
  readonly segmentBytes: number;
  /** The same; EXCHANGE_LIMIT_BYTES. */
  readonly exchangeLimitBytes?: number;
  /** Above this many bytes that no receive waits for, a rank stops reading. */
  readonly maxHeldBytes?: number;
}

export type MakeGroup = (worldSize: number, options: GroupOptions) => Promise<TransportGroup>;
