import type { RingOperation } from '@skipring/protocol';
import { CollectiveError, toCollectiveError } from './collective-error.js';
import type { Transport } from './transport.js';

export interface CollectiveOptions {
  /** From call to completion on this rank; when it passes, all ranks abort. */
  readonly deadlineMs: number;
  /** Bytes per segment, the same on all ranks; default: at most the transport's. */
  readonly segmentBytes?: number;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs one collective under its deadline. Whatever goes wrong is latched in the transport, so that
 * every rank fails; the latched error is thrown.
 */
export async function runCollective(
  transport: Transport,
  operation: RingOperation,
  { deadlineMs }: CollectiveOptions,
  body: (sequence: number) => Promise<void>,
): Promise<void> {
  if (transport.failed !== null) throw transport.failed;
  const sequence = transport.nextSequence();
  if (transport.worldSize === 1) return;
  let timer: NodeJS.Timeout | undefined;
  try {
    expectDeadline(deadlineMs);
    timer = setTimeout(() => {
      transport.abort(
        new CollectiveError(
          'DEADLINE',
          `${operation} ${sequence} was not complete within deadlineMs = ${deadlineMs}`,
          { rank: transport.rank },
        ),
      );
    }, deadlineMs);
    await body(sequence);
  } catch (thrown) {
    const error = toCollectiveError(thrown);
    transport.abort(error);
    throw transport.failed ?? error;
  } finally {
    clearTimeout(timer);
  }
}

function expectDeadline(deadlineMs: number): void {
  if (!(deadlineMs > 0 && deadlineMs <= MAX_TIMER_MS)) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `deadlineMs is ${deadlineMs}, expected more than 0 and at most ${MAX_TIMER_MS}`,
    );
  }
}

/** Bytes per segment of this call. */
export function segmentBytesOf(transport: Transport, options: CollectiveOptions): number {
  const segmentBytes = options.segmentBytes ?? transport.segmentBytes;
  if (!Number.isSafeInteger(segmentBytes) || segmentBytes < 1) {
    throw new CollectiveError(
      'INVALID_ARGUMENT',
      `segmentBytes is ${segmentBytes}, expected a positive integer`,
    );
  }
  return segmentBytes;
}
