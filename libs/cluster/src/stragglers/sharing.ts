import { numLaneGroups, type Grouping } from '@skipring/protocol';
import { assignLanes } from '../lanes.js';
import { laneTimes, MIN_EXCESS_MS, type StepWatch } from './watch.js';

/** What a change must make of a step at least: it costs a new generation. */
const MIN_GAIN = 1.2;

/**
 * Whether steps would be shorter by enough if lanes were shared by the pace that was seen. It is asked
 * of every rank's own work alone: of a rank that was slow and is so no longer as well.
 */
export function gainsBySharing(watch: StepWatch, grouping: Grouping): boolean {
  const laneMs = laneTimes(watch);
  if (laneMs.some((ms) => ms <= 0)) return false;
  const numGroups = numLaneGroups(grouping);
  const groupLanes = grouping.lanes.count / numGroups;
  const longest = (numLanes: readonly number[]): number =>
    Math.max(...laneMs.map((ms, rank) => ms * (numLanes[rank] ?? 0)));
  const nowMs = longest(watch.numLanes);
  const thenMs = longest(assignLanes(numGroups, laneMs).map(({ length }) => length * groupLanes));
  return nowMs >= thenMs * MIN_GAIN && nowMs - thenMs >= MIN_EXCESS_MS;
}
