import { lanesOfGroup, numLaneGroups, type JobSpec } from '@skipring/protocol';
import { assignLanes } from './lanes.js';
import { lowerMedian } from './stragglers/watch.js';

export interface RendezvousInput {
  readonly spec: Pick<JobSpec, 'workers' | 'lanes' | 'sync'>;
  /** Members of the generation before that are still there, in rank order: they hold the state. */
  readonly survivors: readonly string[];
  /** Workers that may join, best first. */
  readonly candidates: readonly string[];
  /** So many of the first candidates may join; others only as far as needed to reach `workers.min`. */
  readonly numWelcome: number;
  /** Connected workers with the job's settings, and with others. */
  readonly numConnected: number;
  readonly numOthers: number;
  /** Time for a lane, by worker, in any unit; others are taken to be like the median of these. */
  readonly laneMs: ReadonlyMap<string, number>;
}

export interface Seat {
  readonly workerId: string;
  readonly lanes: number[];
}

export type RendezvousResult =
  /** By rank. */
  | { readonly seats: Seat[]; readonly reason: string }
  | { readonly seats: null; readonly reason: string };

/** Members and lane owners of the next generation, or why there can't be one; both with a reason. */
export function rendezvous(input: RendezvousInput): RendezvousResult {
  const { spec, survivors, candidates, numWelcome } = input;
  const { min } = spec.workers;
  if (survivors.length + candidates.length < min) return { seats: null, reason: waitReason(input) };
  const target = Math.max(min, survivors.length + numWelcome);
  const ids = [...survivors, ...candidates].slice(0, Math.min(target, maxWorkers(spec)));
  const groups = assignLanes(numLaneGroups(spec), pacesOf(ids, input.laneMs));
  const lanes = groups.map((owned) => owned.flatMap((group) => lanesOfGroup(spec, group)));
  const numNew = Math.max(0, ids.length - survivors.length);
  return {
    seats: ids.map((workerId, rank) => ({ workerId, lanes: lanes[rank] ?? [] })),
    reason: `${plural(ids.length, 'worker')}, ${numNew} new, for ${plural(spec.lanes.count, 'lane')}`,
  };
}

function pacesOf(ids: readonly string[], laneMs: ReadonlyMap<string, number>): number[] {
  const usual = lowerMedian([...laneMs.values()]) || 1;
  return ids.map((id) => laneMs.get(id) ?? usual);
}

/** A worker owns at least one lane, or all lanes of a replica. */
export function maxWorkers(spec: Pick<JobSpec, 'workers' | 'lanes' | 'sync'>): number {
  return Math.min(spec.workers.max, numLaneGroups(spec));
}

function waitReason({
  spec,
  survivors,
  candidates,
  numConnected,
  numOthers,
}: RendezvousInput): string {
  const { min, threads, tf32 } = spec.workers;
  const held = survivors.length > 0 ? `, ${survivors.length} held` : '';
  const others =
    numOthers > 0 ? `; ${numOthers} with another number of threads or setting of TF32` : '';
  return (
    `needs ${plural(min, 'worker')} with ${plural(threads, 'thread')}${tf32 ? '' : ' and without TF32'}; ` +
    `${numConnected} connected, ${candidates.length} idle${held}${others}`
  );
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
