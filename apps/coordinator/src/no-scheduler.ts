import type { RunStore } from '@skipring/redis';
import type { Scheduler } from './scheduling/ports.js';
/** temporary */
export function createNoScheduler(store: RunStore): Scheduler {
  return {
    enqueue: async (id) => {
      const attempt = await store.nextAttempt(id);
      await store.change(id, {
        from: ['pending'],
        fields: { state: 'waiting', attempt, reason: 'needs workers' },
        event: { type: 'state', state: 'waiting', attempt, reason: 'needs workers' },
      });
    },
    cancel: async (id) => {
      const record = await store.get(id);
      if (record === null) return 'missing';
      const r = await store.change(id, {
        from: ['pending', 'waiting'],
        fields: { state: 'cancelled', reason: 'cancelled' },
        event: { type: 'state', state: 'cancelled', attempt: record.attempt, reason: 'cancelled' },
      });
      return r.outcome === 'done' ? 'cancelled' : 'final';
    },
    drain: () => false,
    isCurrent: () => true,
    checkpointStored: () => undefined,
    workers: () => [],
    liveJob: () => null,
    onEvent: () => () => undefined,
  };
}
