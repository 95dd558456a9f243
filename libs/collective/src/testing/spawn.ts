import { toCollectiveError } from '../collective-error.js';
import type { Transport } from '../transport.js';
import { inProcessGroup } from '../in-process-transport.js';

const SEGMENT_BYTES = 4_096;

/**
 * Runs `body` as each of `worldSize` ranks of an in-process ring, at once, and closes the ring. A
 * rank whose body throws aborts the ring. Resolves with the results by rank; rejects with the first
 * error, after all ranks have ended.
 */
export async function spawn<T>(
  worldSize: number,
  body: (transport: Transport) => Promise<T>,
): Promise<T[]> {
  const group = inProcessGroup(worldSize, { segmentBytes: SEGMENT_BYTES });
  const errors: unknown[] = [];
  try {
    const outcomes = await Promise.allSettled(
      group.transports.map(async (transport) => {
        try {
          return await body(transport);
        } catch (error) {
          errors.push(error);
          transport.abort(toCollectiveError(error));
          throw error;
        }
      }),
    );
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw errors[0];
      return outcome.value;
    });
  } finally {
    await group.close();
  }
}
