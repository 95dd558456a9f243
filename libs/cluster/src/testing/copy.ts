import { Cluster } from '../cluster.js';
import type { ClusterState } from '../state.js';

/** Never changed once made, so copies share them. */
const SHARED = new Set(['job', 'hello', 'options', 'fence', 'members', 'newToken', 'watch']);

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) {
    return new Map([...(value as Map<unknown, unknown>)].map(([key, item]) => [key, copy(item)]));
  }
  if (value instanceof Set) return new Set<unknown>(value);
  if (Array.isArray(value)) return value.map(copy);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, SHARED.has(key) ? item : copy(item)]),
  );
}

/** The state machine's state; only tests look into it. */
export function stateOf(cluster: Cluster): ClusterState {
  return (cluster as unknown as { state: ClusterState }).state;
}

/** A cluster in the same state that goes its own way. */
export function copyCluster(cluster: Cluster): Cluster {
  const state = stateOf(cluster);
  const other = new Cluster(state.newToken, state.options);
  Object.assign(stateOf(other), copy({ ...state, effects: [] }));
  return other;
}
