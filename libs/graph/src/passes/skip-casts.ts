import type { Graph, Node, Output } from '../graph-def.js';

/**
 * Drops conversions of a type to itself, which TensorFlow.js issues in gradients: what used their value
 * uses what they were given. They are free in TensorFlow, but hide from other passes what type a value has.
 */
export function skipCasts(graph: Graph, outputs: readonly Output[]): Graph {
  const source = new Map<Output, Output>();
  const kept: Node[] = [];
  for (const node of graph) {
    const inputs = node.inputs.map((input) => source.get(input) ?? input);
    const [input] = inputs;
    const value: Output = `${node.name}:0`;
    // An output of the graph keeps its name.
    if (isTrivial(node) && input !== undefined && !outputs.includes(value))
      source.set(value, input);
    else kept.push({ ...node, inputs });
  }
  return kept;
}

function isTrivial({ op, inputs, attributes: { SrcT, DstT } }: Node): boolean {
  const isCast = op === 'Cast' && SrcT?.kind === 'type' && DstT?.kind === 'type';
  // One with control inputs waits for something: it stays.
  return isCast && SrcT.value === DstT.value && inputs.length === 1;
}
