import { runCollective, type CollectiveOptions } from './run-collective.js';
import type { Transport } from './transport.js';

const NOTHING = new Uint8Array(0);

/**
 * Resolves on no rank before all ranks have called it. Step s tells the next rank that this rank
 * and the s ranks before it are here.
 *
 * @throws CollectiveError the transport's latched error.
 */
export function barrier(transport: Transport, options: CollectiveOptions): Promise<void> {
  return runCollective(transport, 'barrier', options, async (sequence) => {
    for (let segment = 0; segment < transport.worldSize - 1; segment++) {
      const key = { operation: 'barrier', sequence, segment } as const;
      await Promise.all([transport.send(key, NOTHING), transport.receive(key, NOTHING)]);
    }
  });
}
