import { nodeNameOf, type Graph, type Output } from '../graph-def.js';

/** Keeps the nodes that the outputs need, and the named ones with what these need. */
export function prune(graph: Graph, outputs: readonly Output[]): Graph {
  const byName = new Map(graph.map((node) => [node.name, node]));
  const needed = new Set<string>();
  const pending = outputs.map(nodeNameOf);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    pending.push(...(byName.get(name)?.inputs ?? []).map(nodeNameOf));
  }
  return graph.filter(({ name }) => needed.has(name));
}
