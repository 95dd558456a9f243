import { EngineError } from '@skipring/trainer';
import type { Attribute, Graph, Node } from '../graph-def.js';

/**
 * Makes sure that two recordings of one model, on different inputs, are the same graph: a constant
 * that differs holds something that was computed in JavaScript, such as a random mask, and must not
 * be frozen.
 *
 * @throws EngineError CONSTANT_DIFFERS or RECORDING_DIFFERS, naming layer and operation
 */
export function compareRecordings(first: Graph, second: Graph): void {
  first.forEach((node, index) => {
    const other = second[index];
    if (other?.op !== node.op || other.inputs.join() !== node.inputs.join()) {
      throw differs(`${describe(node)} is ${other === undefined ? 'missing' : describe(other)}`);
    }
    for (const [name, value] of Object.entries(node.attributes)) {
      if (isSame(value, other.attributes[name])) continue;
      if (node.op !== 'Const') throw differs(`attribute ${name} of ${describe(node)} differs`);
      const user = first.find(({ inputs }) => inputs.includes(`${node.name}:0`));
      throw new EngineError(
        'CONSTANT_DIFFERS',
        `a constant that ${describe(user ?? node)} uses differs between two recordings: ` +
          'the model computes it in JavaScript, where it would be frozen',
      );
    }
  });
  const added = second[first.length];
  if (added !== undefined) throw differs(`${describe(added)} was not there before`);
}

function describe({ name, layer }: Node): string {
  return `operation ${name}${layer === undefined ? '' : ` of layer ${layer}`}`;
}

function differs(how: string): EngineError {
  return new EngineError(
    'RECORDING_DIFFERS',
    `in the second of two recordings of the model, ${how}: ` +
      'expected operations that do not depend on values',
  );
}

function isSame(a: Attribute, b: Attribute | undefined): boolean {
  if (b?.kind !== a.kind) return false;
  if (a.kind === 'tensor' && b.kind === 'tensor') {
    return (
      a.dtype === b.dtype &&
      a.shape.join() === b.shape.join() &&
      Buffer.compare(a.bytes, b.bytes) === 0
    );
  }
  return JSON.stringify(a) === JSON.stringify(b);
}
