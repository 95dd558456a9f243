import type { Fence } from '@skipring/protocol';
import { proveSteps } from './committed-steps.js';
import { failAttempt } from './endings.js';
import { fits, settingsOf } from './fits.js';
import { hasLoaded } from './loading.js';
import { keeper, stopWorker, takeLeave, workersOf } from './leave-taking.js';
import { rendezvous, type Seat } from './rendezvous.js';
import { ringOrder } from './ring-order.js';
import {
  isIdle,
  setJobState,
  waitingRuns,
  type ClusterState,
  type JobRun,
  type WorkerRecord,
} from './state.js';
import { startPosition } from './start-position.js';
import { isBenched } from './stragglers/bench.js';
import { notePace, paceOf } from './stragglers/pace.js';
import { newWatch } from './stragglers/watch.js';

/** Begins a job's next generation with these members; members of the one before are stopped. */
export function beginGeneration(
  state: ClusterState,
  run: JobRun,
  seats: readonly Seat[],
  reason: string,
): void {
  const { job } = run;
  const fence: Fence = {
    jobId: job.id,
    attempt: job.attempt,
    generation: (run.fence?.generation ?? 0) + 1,
  };
  const seated = new Set(seats.map(({ workerId }) => workerId));
  for (const worker of workersOf(state, run)) {
    if (seated.has(worker.id) || run.fence === null) continue;
    stopWorker(state, worker, run.fence, false, reason);
  }
  const lanes = new Map(seats.map((seat) => [seat.workerId, seat.lanes]));
  const members = inRingOrder(state, seats).map((worker) => {
    worker.jobId = job.id;
    worker.loading = null;
    worker.held = null;
    const { host, ringPort, ringLocalName } = worker.hello;
    return {
      workerId: worker.id,
      host,
      port: ringPort,
      ...(ringLocalName !== undefined && { localName: ringLocalName }),
      lanes: lanes.get(worker.id) ?? [],
    };
  });
  // Who holds the newest state hands it on: nobody needs to fetch a checkpoint that is behind it.
  const isHeld = members.some(({ workerId }) => run.holders.has(workerId));
  const checkpointStep = isHeld ? null : run.checkpointStep;
  run.fence = fence;
  run.regroup = null;
  run.ranks = members.map(({ workerId }) => workerId);
  run.generation = {
    fence,
    members,
    phaseSinceMs: state.nowMs,
    reason,
    checkpointStep,
    phase: 'preparing',
    ready: new Map(),
    finished: new Map(),
    absent: new Set(),
    finishDeadlineMs: Infinity,
    broken: false,
    hashes: new Map(),
    watch: newWatch(
      members.map((member) => member.lanes.length),
      state.options.stragglerWindowSteps,
    ),
    explained: new Set(),
  };
  setJobState(state, run, 'running', `generation ${fence.generation}: ${reason}`);
  const ringToken = state.newToken();
  for (const [rank, { workerId }] of members.entries()) {
    state.effects.push({
      type: 'send',
      workerId,
      message: {
        type: 'prepare',
        fence,
        spec: job.spec,
        dataSet: job.dataSet,
        members,
        rank,
        ringToken,
        checkpointStep,
        reason,
      },
    });
  }
}

/** Starts training once every rank is ready, and never below a stored checkpoint. */
export function startIfReady(state: ClusterState, run: JobRun): void {
  const { generation } = run;
  if (generation?.phase !== 'preparing') return;
  const { fence, members, ready, reason } = generation;
  const states = members.flatMap((_, rank) => ready.get(rank) ?? []);
  if (states.length < members.length) return;
  const start = startPosition(states);
  const stored = run.checkpointStep ?? 0;
  // Of an earlier generation, and not yet known when this one was prepared.
  if (stored > start.position.step && stored > (generation.checkpointStep ?? 0)) {
    run.holders.clear();
    regroup(state, run, `a checkpoint of step ${stored} was stored meanwhile`);
    return;
  }
  run.holders.clear();
  run.heldStep = start.position.step;
  for (const [rank, { workerId }] of members.entries()) {
    if (!start.behind.includes(rank)) run.holders.add(workerId);
  }
  generation.phase = 'running';
  generation.phaseSinceMs = state.nowMs;
  proveSteps(state, run, start.position.step);
  run.committedStep = start.position.step;
  run.trained = { fence, ranks: run.ranks, unproven: [] };
  for (const { workerId } of members) {
    state.effects.push({
      type: 'send',
      workerId,
      message: { type: 'start', fence, ...start },
    });
  }
  state.effects.push({
    type: 'generationStarted',
    fence,
    workers: members.map(({ workerId }) => workerId),
    step: start.position.step,
    reason,
  });
}

/** Counts a generation that broke, once; fails the attempt when it was one too many. */
export function countBroken(state: ClusterState, run: JobRun, reason: string): boolean {
  const { generation } = run;
  if (generation === null || generation.broken) return false;
  generation.broken = true;
  run.numBroken += 1;
  const { brokenLimit } = state.options;
  if (run.numBroken < brokenLimit) return false;
  failAttempt(
    state,
    run,
    `${brokenLimit} generations ended without a committed step; the last: ${reason}`,
    true,
  );
  return true;
}

/**
 * Goes on with the members that are still there and workers that are free, or waits for more.
 * @param given members that the job gives up, besides those that drain
 */
export function regroup(
  state: ClusterState,
  run: JobRun,
  cause: string,
  given: readonly WorkerRecord[] = [],
): void {
  const { generation, job } = run;
  if (generation === null || run.state !== 'running') return;
  run.regroup = null;
  notePace(run);
  const present = workersOf(state, run);
  const leavers = present.filter((worker) => worker.draining || given.includes(worker));
  const survivors = present.filter((worker) => !leavers.includes(worker));
  if (keeper(state, run, leavers) !== null) {
    // Nobody stays who could hand on the state, so it is stored before they leave.
    takeLeave(state, run, generation.fence, leavers, cause);
    wait(state, run, `${cause}; a checkpoint is stored first`);
    return;
  }
  const result = rendezvous({
    spec: job.spec,
    survivors: survivors.map(({ id }) => id),
    ...candidatesFor(state, run),
    numWelcome: isWantedElsewhere(state, run) ? 0 : numLoaded(state, run),
    laneMs: paceOf(run),
  });
  if (result.seats !== null) {
    beginGeneration(state, run, result.seats, `${cause}: ${result.reason}`);
    return;
  }
  takeLeave(state, run, generation.fence, leavers, cause);
  wait(state, run, `${cause}; ${result.reason}`);
}

/** The workers of the seats, by rank. */
function inRingOrder(state: ClusterState, seats: readonly Seat[]): WorkerRecord[] {
  const workers = seats.flatMap(({ workerId }) => state.workers.get(workerId) ?? []);
  const members = workers.map(({ id, hello }) => ({
    workerId: id,
    hostLabel: hello.hostLabel ?? hello.host,
  }));
  const speed = (from: string, to: string) => state.workers.get(to)?.links.get(from) ?? null;
  return ringOrder(members, speed).flatMap(({ workerId }) => state.workers.get(workerId) ?? []);
}

/** Whether another job waits for workers like those of this one. */
export function isWantedElsewhere(state: ClusterState, run: JobRun): boolean {
  return waitingRuns(state).some((other) => other !== run && wantsSameWorkers(other, run));
}

/** Candidates that would hold the others for no longer than it takes to receive the state. */
function numLoaded(state: ClusterState, run: JobRun): number {
  return candidatesFor(state, run).candidates.filter((id) => hasLoaded(state, run, id)).length;
}

/** Members keep their state while the job waits. */
function wait(state: ClusterState, run: JobRun, reason: string): void {
  run.generation = null;
  run.regroup = null;
  setJobState(state, run, 'waiting', reason);
}

export function wantsSameWorkers(a: JobRun, b: JobRun): boolean {
  return settingsOf(a.job.spec) === settingsOf(b.job.spec);
}

/**
 * Idle workers that fit a job, and the counts that explain a wait: those that have loaded it first, then
 * the longest connected, and at last those that were replaced because they were slow.
 */
export function candidatesFor(
  state: ClusterState,
  run: JobRun,
): { candidates: string[]; numConnected: number; numOthers: number } {
  const { job } = run;
  const connected = [...state.workers.values()];
  const fitting = connected.filter(({ hello }) => fits(hello, job.spec));
  return {
    candidates: fitting
      .filter(isIdle)
      .map(({ id }) => id)
      .sort((a, b) => reluctance(state, run, a) - reluctance(state, run, b)),
    numConnected: fitting.length,
    numOthers: connected.length - fitting.length,
  };
}

function reluctance(state: ClusterState, run: JobRun, workerId: string): number {
  if (isBenched(run, workerId)) return 2;
  return hasLoaded(state, run, workerId) ? 0 : 1;
}
