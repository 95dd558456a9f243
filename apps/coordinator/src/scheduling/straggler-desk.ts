import { StragglerWatch, type ClusterEffect } from '@skipring/cluster';
import type { CoordinatorMessage, Member } from '@skipring/protocol';

type Effect<T extends ClusterEffect['type']> = Extract<ClusterEffect, { type: T }>;
type Prepare = Extract<CoordinatorMessage, { type: 'prepare' }>;

interface Watched {
  readonly members: readonly Member[];
  readonly watch: StragglerWatch;
}

/** Names the workers that hold up a job, in words. */
export class StragglerDesk {
  private readonly jobs = new Map<string, Watched>();

  /** A generation is prepared: what was seen of the one before counts no more. */
  begin({ fence, members }: Prepare): void {
    const watch = new StragglerWatch(members.map(({ lanes }) => lanes.length));
    this.jobs.set(fence.jobId, { members, watch });
  }

  /** @returns what to tell the job's followers; null: nothing new */
  observe({ jobId, rank, workerId, parts }: Effect<'rankStep'>): string | null {
    const watched = this.jobs.get(jobId);
    // A late report of a generation before.
    if (watched?.members[rank]?.workerId !== workerId) return null;
    const straggler = watched.watch.observe(rank, parts);
    if (straggler === null) return null;
    const slow = watched.members[straggler.rank];
    const part = straggler.part.replace(/Ms$/, '');
    return (
      `worker ${slow?.workerId ?? ''} (rank ${straggler.rank}, host ${slow?.host ?? ''}) is slow: ` +
      `a lane takes it ${straggler.ratio.toFixed(1)} times as long as the others, mostly in ${part}`
    );
  }

  end(jobId: string): void {
    this.jobs.delete(jobId);
  }
}
