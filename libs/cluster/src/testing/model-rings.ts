import { check, CHECKPOINT_AT, type Membership, type ModelWorker } from './model-parts.js';

/** The rings of a model: votes, and what each member can do next. */
export class ModelRings {
  /**
   * @param workers of the model, by id
   * @param votes the newest step that each member of a ring has voted for; they may outlive their voter
   */
  constructor(
    private readonly workers: ReadonlyMap<string, ModelWorker>,
    private readonly numSteps: number,
    private readonly votes = new Map<string, Map<string, number>>(),
  ) {}

  /** The same votes, in a copy of the model with these workers. */
  copy(workers: ReadonlyMap<string, ModelWorker>): ModelRings {
    const votes = new Map([...this.votes].map(([ring, cast]) => [ring, new Map(cast)]));
    return new ModelRings(workers, this.numSteps, votes);
  }

  /** Votes of rings that still have a member. */
  key(): unknown {
    const rings = new Set([...this.workers.values()].map(({ membership }) => membership?.ring));
    return [...this.votes].flatMap(([ring, cast]) =>
      rings.has(ring) ? [ring, ...[...cast].sort().flat()] : [],
    );
  }

  moves(id: string, { membership, step, isAlive, uploading }: ModelWorker): string[] {
    if (membership === null || !isAlive || step === null) return [];
    if (membership.start === null || membership.isAborted || membership.isFinished) return [];
    const moves: string[] = [];
    if (this.isBroken(membership)) moves.push(`abort ${id}`);
    if (!membership.isSynchronised) {
      const source = this.workers.get(membership.start.source)?.membership;
      if (source?.ring === membership.ring && source.start !== null && !source.isAborted) {
        moves.push(`synchronise ${id}`);
      }
      return moves;
    }
    const { numSteps } = this;
    const isDue = step === CHECKPOINT_AT || step === numSteps;
    const isLast = step === numSteps;
    if (membership.rank === 0 && isDue && membership.copied < step) {
      // One at a time.
      if (uploading === null) moves.push(`copy ${id}`);
    } else if (isLast) {
      const [first = ''] = membership.members;
      if (this.voteOf(membership, first) > numSteps) moves.push(`finish ${id}`);
    } else if (this.voteOf(membership, id) <= step) moves.push(`vote ${id}`);
    else if (membership.members.every((member) => this.voteOf(membership, member) > step)) {
      moves.push(`commit ${id}`);
    }
    return moves;
  }

  /** A ring fails once a member has left it; until then each rank may go on without knowing. */
  private isBroken({ ring, members }: Membership): boolean {
    return members.some((id) => {
      const other = this.workers.get(id)?.membership;
      return other?.ring !== ring || other.isAborted;
    });
  }

  vote({ ring }: Membership, id: string, step: number): void {
    const votes = this.votes.get(ring) ?? new Map<string, number>();
    this.votes.set(ring, votes.set(id, step));
  }

  private voteOf({ ring }: Membership, id: string): number {
    return this.votes.get(ring)?.get(id) ?? 0;
  }

  /** Invariants 1 and 2: a step is summed over one and the same state, and no rank skips any. */
  checkVotes(membership: Membership, step: number): void {
    const members = membership.members.map((id) => this.workers.get(id));
    for (const [rank, member] of members.entries()) {
      const other = member?.membership;
      if (other?.ring !== membership.ring) continue;
      const ahead = (member?.step ?? 0) - step;
      check(
        ahead === 0 || ahead === 1,
        `rank ${rank} votes at ${member?.step}, another at ${step}`,
      );
    }
  }

  /** Invariants 3 and 5: members that train together hold the same step, or one is a commit ahead. */
  check(): void {
    const steps = new Map<string, number[]>();
    const lanes = new Map<string, number[]>();
    for (const { membership, step } of this.workers.values()) {
      if (membership?.isSynchronised !== true || step === null) continue;
      steps.set(membership.ring, [...(steps.get(membership.ring) ?? []), step]);
      lanes.set(membership.ring, [...(lanes.get(membership.ring) ?? []), ...membership.lanes]);
    }
    for (const [ring, held] of steps) {
      check(Math.max(...held) - Math.min(...held) <= 1, `ring ${ring} holds steps ${held.join()}`);
      const owned = lanes.get(ring) ?? [];
      check(new Set(owned).size === owned.length, `ring ${ring} computes lanes ${owned.join()}`);
    }
  }
}
