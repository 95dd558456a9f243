import type { SegmentKey } from '@skipring/collective';

/**
 * Stands between a segment's checksum and the socket, for faults on purpose. Null: the segment goes
 * out as it is. Else what goes out, in its turn, when the promise resolves: bytes of the same length
 * in place of the payload, or, with null, nothing. The payload itself must not be changed.
 */
export type SendInterceptor = (
  key: SegmentKey,
  payload: Uint8Array,
) => Promise<Uint8Array | null> | null;
