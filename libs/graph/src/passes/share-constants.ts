import { createHash } from 'node:crypto';
import { nodeNameOf, type Graph, type Node } from '../graph-def.js';

/** Lets all users of equal constants use one of them. Constants with control inputs stay. */
export function shareConstants(graph: Graph): Graph {
  const firstByValue = new Map<string, string>();
  const replacement = new Map<string, string>();
  for (const node of graph) {
    const key = valueOf(node);
    if (key === null) continue;
    const first = firstByValue.get(key);
    if (first === undefined) firstByValue.set(key, node.name);
    else replacement.set(node.name, first);
  }
  const redirect = (input: string): string => {
    const to = replacement.get(nodeNameOf(input));
    return to === undefined ? input : input.replace(nodeNameOf(input), to);
  };
  return graph
    .filter(({ name }) => !replacement.has(name))
    .map((node) => ({ ...node, inputs: node.inputs.map(redirect) }));
}

/** A key that equal constants share; null for what is no free-standing constant. */
function valueOf({ op, inputs, attributes }: Node): string | null {
  const { value } = attributes;
  if (op !== 'Const' || inputs.length > 0 || value?.kind !== 'tensor') return null;
  const digest = createHash('sha256').update(value.bytes).digest('hex');
  return `${value.dtype} ${value.shape.join('x')} ${digest}`;
}
