import { segmentRanges } from './chunks.js';
import { CollectiveError } from './collective-error.js';
import { expectSegmentCount, SEND_WINDOW } from './ring-pass.js';
import { runCollective, segmentBytesOf, type CollectiveOptions } from './run-collective.js';
import { SendWindow } from './send-window.js';
import type { Transport } from './transport.js';

/**
 * Copies `bytes` of every rank, of the same length, into `target` of rank `root`, by rank; `target`
 * is null on all other ranks. A rank passes on, segment by segment, what comes from behind it: the
 * rank before the root sends worldSize - 1 times its own bytes, the one after the root only its own.
 *
 * @throws CollectiveError the transport's latched error; `target` is then undefined.
 */
export function gather(
  transport: Transport,
  bytes: Uint8Array,
  target: Uint8Array | null,
  root: number,
  options: CollectiveOptions,
): Promise<void> {
  const { rank, worldSize } = transport;
  // Alone, there is nothing to do but this.
  if (worldSize === 1 && rank === root) target?.set(bytes);
  return runCollective(transport, 'gather', options, async (sequence) => {
    expectArguments(transport, bytes, target, root);
    const segmentBytes = segmentBytesOf(transport, options);
    const ranges = segmentRanges({ begin: 0, end: bytes.byteLength }, segmentBytes);
    /** How many ranks are behind this one, seen from the root: all of their bytes come through here. */
    const numBehind = (rank - root - 1 + worldSize) % worldSize;
    expectSegmentCount(ranges.length * worldSize, segmentBytes);

    if (rank === root) target?.set(bytes, rank * bytes.byteLength);
    const incoming = Array.from({ length: numBehind }, (_, distance) => {
      const owner = (rank - 1 - distance + worldSize) % worldSize;
      const begin = owner * bytes.byteLength;
      return target?.subarray(begin, begin + bytes.byteLength) ?? new Uint8Array(bytes.byteLength);
    });
    const segmentsOf = (parts: readonly Uint8Array[]) =>
      parts.flatMap((part) => ranges.map(({ begin, end }) => part.subarray(begin, end)));
    const arrivals = segmentsOf(incoming).map((view, segment) =>
      transport.receive({ operation: 'gather', sequence, segment }, view),
    );
    await Promise.all([...arrivals, rank === root ? null : sendAll()]);

    async function sendAll(): Promise<void> {
      const window = new SendWindow(SEND_WINDOW);
      for (const [segment, view] of segmentsOf([bytes, ...incoming]).entries()) {
        const checksum = await arrivals[segment - ranges.length];
        const key = { operation: 'gather', sequence, segment } as const;
        await window.push(() => transport.send(key, view, checksum));
      }
      await window.drain();
    }
  });
}

function expectArguments(
  { rank, worldSize }: Transport,
  bytes: Uint8Array,
  target: Uint8Array | null,
  root: number,
): void {
  if (!Number.isInteger(root) || root < 0 || root >= worldSize) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `root is ${root}, expected a rank from 0 to ${worldSize - 1}`,
    );
  }
  const expected = rank === root ? bytes.byteLength * worldSize : null;
  const given = target === null ? null : target.byteLength;
  if (given !== expected) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `target is ${given ?? 'null'}, expected ${expected ?? 'null'} bytes on rank ${rank}`,
    );
  }
}
