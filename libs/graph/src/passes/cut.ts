import { EngineError } from '@skipring/trainer';
import { attribute } from '../graph-builder.js';
import { nodeNameOf, type Attributes, type Graph, type Node, type Output } from '../graph-def.js';

/** A graph in segments, each a run of its own. */
export interface CutGraph {
  readonly graph: Graph;
  /** What the run of each segment fetches, in order: the values of `ends`. */
  readonly ends: readonly Output[];
}

/**
 * Cuts what leads to `ends` into segments, one for each: segment s computes what end s needs and no
 * segment before did. Values that later segments need stay where they are, in a `Stage` of the
 * session, which holds references and copies nothing; each segment takes out all that is kept and
 * hands on what those behind it need, so that memory becomes free as early as in one run. Only the
 * first segment reads placeholders. The segments are to be run one after the other, in order; the
 * first one clears what a run that was given up has left.
 *
 * @param name begins the names of new nodes, and of what is kept; unique in the process
 * @throws EngineError TYPE_UNKNOWN
 */
export function cut(graph: Graph, ends: readonly Output[], name: string): CutGraph {
  const nodes = new Map(graph.map((node) => [node.name, node]));
  const segmentOf = assign(graph, nodes, ends);
  const kept = ends.map((_, segment) => crossing(graph, segmentOf, segment));
  const placeIn = (segment: number, value: Output): Output => {
    const made = segmentOf.get(nodeNameOf(value));
    if (made === undefined || made >= segment) return value;
    return `${name}/unstage${segment}:${kept[segment]?.indexOf(value)}`;
  };

  const taken: Node[] = [];
  const handed: Node[] = [];
  kept.forEach((values, segment) => {
    if (values.length === 0) return;
    const attributes = stageAttributes(
      values.map((value) => typeOf(nodes, value)),
      `${name}/kept${segment}`,
    );
    const clear = `${name}/clear${segment}`;
    const inputs = [...values.map((value) => placeIn(segment - 1, value)), `^${clear}`];
    taken.push({ name: `${name}/unstage${segment}`, op: 'Unstage', inputs: [], attributes });
    handed.push(
      { name: clear, op: 'StageClear', inputs: [], attributes },
      { name: `${name}/stage${segment}`, op: 'Stage', inputs, attributes },
    );
  });
  const fetched = ends.map((end, segment): Node => {
    const isFollowed = (kept[segment + 1]?.length ?? 0) > 0;
    const after = isFollowed ? [`^${name}/stage${segment + 1}`] : [];
    return {
      name: `${name}/end${segment}`,
      op: 'Identity',
      inputs: [placeIn(segment, end), ...after],
      attributes: { T: attribute.type(typeOf(nodes, end)) },
    };
  });
  const moved = graph.map((node) => {
    const segment = segmentOf.get(node.name) ?? 0;
    return segment === 0 ? node : { ...node, inputs: inputsIn(node, segment) };
  });
  return {
    graph: [...taken, ...moved, ...handed, ...fetched],
    ends: fetched.map((node) => `${node.name}:0`),
  };

  /** What must have run before and is of an earlier segment has. */
  function inputsIn(node: Node, segment: number): string[] {
    return node.inputs.flatMap((input) => {
      if (!input.startsWith('^')) return [placeIn(segment, input)];
      const made = segmentOf.get(nodeNameOf(input));
      return made === undefined || made === segment ? [input] : [];
    });
  }
}

/** The first segment that needs each node; none for those that every segment may read by itself. */
function assign(
  graph: Graph,
  nodes: ReadonlyMap<string, Node>,
  ends: readonly Output[],
): Map<string, number> {
  const sources = new Set<string>();
  for (const { name, op, inputs } of graph) {
    const isSource = op === 'Const' || op === 'VarHandleOp' || op === 'ReadVariableOp';
    if (isSource && inputs.every((input) => sources.has(nodeNameOf(input)))) sources.add(name);
  }
  const segmentOf = new Map<string, number>();
  ends.forEach((end, segment) => {
    const pending = [nodeNameOf(end)];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (segmentOf.has(name) || sources.has(name)) continue;
      segmentOf.set(name, segment);
      pending.push(...(nodes.get(name)?.inputs ?? []).map(nodeNameOf));
    }
  });
  return segmentOf;
}

/** Values that are made before `segment` and needed in it or later, in the graph's order. */
function crossing(
  graph: Graph,
  segmentOf: ReadonlyMap<string, number>,
  segment: number,
): readonly Output[] {
  const values = new Set<Output>();
  for (const { name, inputs } of graph) {
    if ((segmentOf.get(name) ?? 0) < segment) continue;
    for (const input of inputs) {
      const made = segmentOf.get(nodeNameOf(input));
      if (made !== undefined && made < segment && !input.startsWith('^')) values.add(input);
    }
  }
  return [...values];
}

function stageAttributes(types: readonly number[], sharedName: string): Attributes {
  return {
    capacity: attribute.int(0),
    memory_limit: attribute.int(0),
    dtypes: { kind: 'types', value: types },
    container: attribute.string(''),
    shared_name: attribute.string(sharedName),
  };
}

/** The element type of a value: as it was recorded, else by the attribute that operations have for it. */
function typeOf(nodes: ReadonlyMap<string, Node>, value: Output): number {
  const node = nodes.get(nodeNameOf(value));
  const recorded = node?.types?.[Number(value.slice(value.indexOf(':') + 1))];
  if (recorded !== undefined) return recorded;
  const { DstT, T, dtype } = node?.attributes ?? {};
  const found = DstT ?? T ?? dtype;
  if (found?.kind === 'type') return found.value;
  throw new EngineError('TYPE_UNKNOWN', `the type of ${value} (${node?.op}) is not known`);
}
