import { StoreError } from './errors.js';

export interface Idempotency {
  /** SHA-256 of the key, so that its length and characters do not matter. */
  readonly keyHash: string;
  /** SHA-256 of the request. */
  readonly requestHash: string;
}

/** What is stored under a key: what it made, and of which request. */
export function idempotencyValue(id: string, idempotency: Idempotency | null): string {
  return idempotency === null ? '' : JSON.stringify({ id, request: idempotency.requestHash });
}

/**
 * The id of what a key has made, or null when `known` is "": then it has just made `id`.
 * @throws StoreError IDEMPOTENCY_KEY_REUSED when the key is known with another request
 */
export function madeBefore(known: string, idempotency: Idempotency | null): string | null {
  if (known === '' || idempotency === null) return null;
  const first = JSON.parse(known) as { id: string; request: string };
  if (first.request === idempotency.requestHash) return first.id;
  throw new StoreError(
    'IDEMPOTENCY_KEY_REUSED',
    `this idempotency key made ${first.id} from another request`,
  );
}
