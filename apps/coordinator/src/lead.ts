import { setTimeout as pause } from 'node:timers/promises';
import { LeaderLease, StoreError, type LeaseOptions, type OtherLeader } from '@skipring/redis';
import type { Logger } from 'pino';
import { standBy, type Standby } from './http/standby.js';
import type { CoordinatorOptions } from './options.js';

const POLL_MS = 250;

/**
 * Waits for the lease; meanwhile the port answers that the process is alive and not ready.
 * @returns the lease, and the port, which is that of the wait when there was one
 * @throws StoreError STORE_UNAVAILABLE when Redis does not answer at first, and errors of `listen`
 */
export async function lead(
  lease: LeaseOptions,
  { host, port }: Pick<CoordinatorOptions, 'host' | 'port'>,
  log: Logger,
): Promise<{ lease: LeaderLease; port: number }> {
  let standby: Standby | null = null;
  try {
    for (;;) {
      const result = await acquire(lease, standby !== null);
      if (result instanceof LeaderLease) {
        log.info({ leaderNumber: result.number }, 'leads');
        return { lease: result, port: standby?.port ?? port };
      }
      if (standby === null) {
        standby = await standBy(host, port);
        const told = { event: 'standby', port: standby.port, leader: result.holder };
        log.warn(told, 'another coordinator leads; waits to take over');
      }
      await pause(Math.min(POLL_MS, Math.max(1, result.remainingMs)));
    }
  } finally {
    await standby?.close();
  }
}

/** One that waits already goes on waiting while Redis is away. */
async function acquire(
  lease: LeaseOptions,
  isWaiting: boolean,
): Promise<LeaderLease | OtherLeader> {
  try {
    return await LeaderLease.acquire(lease);
  } catch (error) {
    const isAway = error instanceof StoreError && error.code === 'STORE_UNAVAILABLE';
    if (!isWaiting || !isAway) throw error;
    return { holder: 'unknown', remainingMs: POLL_MS };
  }
}
