import type { Fence } from '@skipring/protocol';
import type { Snapshot } from '@skipring/trainer';
import type { ThreadError } from '../thread-messages.js';

/** What the thread is started with. */
export interface CoordinatorAddress {
  readonly coordinatorUrl: string;
  readonly joinToken: string | null;
}

export interface StoreRequest {
  readonly kind: 'store';
  readonly id: number;
  readonly snapshot: Snapshot;
}

export type ToCheckpointThread =
  /** The generation that checkpoints are stored for from now on. */
  | { readonly kind: 'enter'; readonly fence: Fence }
  | StoreRequest
  | { readonly kind: 'abort'; readonly id: number };

export type FromCheckpointThread =
  | { readonly id: number; readonly modelSha256: string; readonly error: null }
  | { readonly id: number; readonly modelSha256: null; readonly error: ThreadError };
