import { segmentRanges } from './chunks.js';
import { CollectiveError } from './collective-error.js';
import { expectSegmentCount, SEND_WINDOW } from './ring-pass.js';
import { runCollective, segmentBytesOf, type CollectiveOptions } from './run-collective.js';
import { SendWindow } from './send-window.js';
import type { Transport } from './transport.js';

/**
 * Copies `bytes` of rank `root` over `bytes`, of the same length, of all other ranks: along the
 * ring, each segment passed on as it arrives. The root is done when its own sends are.
 *
 * @throws CollectiveError the transport's latched error.
 */
export function broadcast(
  transport: Transport,
  bytes: Uint8Array,
  root: number,
  options: CollectiveOptions,
): Promise<void> {
  const { rank, worldSize } = transport;
  return runCollective(transport, 'broadcast', options, async (sequence) => {
    if (!Number.isInteger(root) || root < 0 || root >= worldSize) {
      throw new CollectiveError(
        'INVALID_ARGUMENT',
        `root is ${root}, expected a rank from 0 to ${worldSize - 1}`,
      );
    }
    const segmentBytes = segmentBytesOf(transport, options);
    const segments = segmentRanges({ begin: 0, end: bytes.byteLength }, segmentBytes).map(
      ({ begin, end }, segment) => ({
        key: { operation: 'broadcast', sequence, segment } as const,
        view: bytes.subarray(begin, end),
      }),
    );
    expectSegmentCount(segments.length, segmentBytes);
    const arrivals =
      rank === root ? [] : segments.map(({ key, view }) => transport.receive(key, view));
    const isLast = (rank + 1) % worldSize === root;
    await Promise.all([...arrivals, isLast ? null : forward()]);

    async function forward(): Promise<void> {
      const window = new SendWindow(SEND_WINDOW);
      for (const { key, view } of segments) {
        const checksum = await arrivals[key.segment];
        await window.push(() => transport.send(key, view, checksum));
      }
      await window.drain();
    }
  });
}
