import type { StepParts } from '@skipring/protocol';
import { candidatesFor, isWantedElsewhere, regroup } from '../generations.js';
import { keeper } from '../leave-taking.js';
import { askToLoad, hasFailed, hasLoaded } from '../loading.js';
import { maxWorkers } from '../rendezvous.js';
import type { ClusterState, Generation, JobRun } from '../state.js';
import { bench, isBenched } from './bench.js';
import { gainsBySharing } from './sharing.js';
import { isFull, observed, type SlowRank } from './watch.js';

/**
 * A rank has reported a step: who has become slow, and who is so no longer, is told; lanes are shared by
 * pace where the job asks for it.
 */
export function watchStep(
  state: ClusterState,
  run: JobRun,
  generation: Generation,
  rank: number,
  parts: StepParts,
): void {
  if (generation.members.length < 2) return;
  const before = generation.watch;
  const watch = observed(before, rank, parts);
  generation.watch = watch;
  if (watch.slow !== before.slow) {
    tellNew(state, generation, 'slow', watch.slow, before.slow);
    tellNew(state, generation, 'recovered', before.slow, watch.slow);
  }
  if (rank === 0 && run.job.spec.workers.stragglers === 'rebalance') rebalance(state, run);
}

/** Spares take the places of slow members, in jobs that ask for it. */
export function replaceStragglers(state: ClusterState): void {
  for (const run of state.jobs.values()) {
    if (run.job.spec.workers.stragglers === 'replace') replace(state, run);
  }
}

function rebalance(state: ClusterState, run: JobRun): void {
  const generation = relievable(run);
  if (generation === null || !isFull(generation.watch)) return;
  if (gainsBySharing(generation.watch, run.job.spec)) {
    noteRelief(state, run);
    regroup(state, run, 'the lanes are shared by the pace of their owners');
    return;
  }
  const [slowest] = generation.watch.slow;
  if (slowest === undefined) return;
  tellOnce(state, generation, slowest, 'keeps its lanes: another sharing would gain too little');
}

function replace(state: ClusterState, run: JobRun): void {
  const generation = relievable(run);
  const slowest = generation?.watch.slow[0];
  if (generation === null || slowest === undefined) return;
  const member = generation.members[slowest.rank];
  const worker = state.workers.get(member?.workerId ?? '');
  if (worker === undefined || worker.draining) return;
  const spare = spareFor(state, run, generation);
  if (spare === null) {
    tellOnce(state, generation, slowest, 'stays: no spare worker is idle');
    return;
  }
  askToLoad(state, run, [spare]);
  // Reports of a step come one by one: soon others hold the newest state as well.
  if (!hasLoaded(state, run, spare) || keeper(state, run, [worker]) !== null) return;
  noteRelief(state, run);
  bench(run, worker.id, run.committedStep + state.options.reliefIntervalSteps);
  regroup(state, run, `worker ${spare} takes the place of ${worker.id}, which is slow`, [worker]);
}

/** The generation of a job that may be changed now: it trains, and the last change is a while ago. */
function relievable({
  state,
  generation,
  committedStep,
  nextReliefStep,
}: JobRun): Generation | null {
  if (state !== 'running' || generation?.phase !== 'running') return null;
  if (generation.broken || generation.finished.size > 0) return null;
  return committedStep < nextReliefStep ? null : generation;
}

function noteRelief(state: ClusterState, run: JobRun): void {
  run.nextReliefStep = run.committedStep + state.options.reliefIntervalSteps;
}

/** An idle worker that may take a place; where the job has room for more, they join by themselves. */
function spareFor(state: ClusterState, run: JobRun, { members }: Generation): string | null {
  if (members.length < maxWorkers(run.job.spec) || isWantedElsewhere(state, run)) return null;
  const { candidates } = candidatesFor(state, run);
  return candidates.find((id) => !hasFailed(state, run, id) && !isBenched(run, id)) ?? null;
}

function tellNew(
  state: ClusterState,
  { fence, members }: Generation,
  change: 'slow' | 'recovered',
  ranks: readonly SlowRank[],
  known: readonly SlowRank[],
): void {
  for (const { rank, part, ratio } of ranks) {
    const member = members[rank];
    if (member === undefined || known.some((other) => other.rank === rank)) continue;
    const { workerId, host } = member;
    const straggler = { workerId, rank, host, part, ratio };
    state.effects.push({ type: 'stragglerSeen', fence, state: change, straggler });
  }
}

/** Why a slow member is left alone, once in a generation. */
function tellOnce(
  state: ClusterState,
  generation: Generation,
  { rank }: SlowRank,
  why: string,
): void {
  const { fence, members, explained } = generation;
  const workerId = members[rank]?.workerId ?? '';
  if (explained.has(workerId)) return;
  explained.add(workerId);
  const message = `worker ${workerId} is slow and ${why}`;
  state.effects.push({ type: 'noticeGiven', jobId: fence.jobId, message });
}
