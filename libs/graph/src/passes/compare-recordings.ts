import { EngineError } from '@skipring/trainer';
import type { Attribute, Graph } from '../graph-def.js';

/**
 * Makes sure that two recordings of one model, on different inputs, are the same graph: a constant
 * that differs holds something that was computed in JavaScript, such as a random mask, and must not
 * be frozen.
 *
 * @throws EngineError CONSTANT_DIFFERS or RECORDING_DIFFERS, naming the operation
 */
export function compareRecordings(first: Graph, second: Graph): void {
  if (first.length !== second.length) {
    throw new EngineError(
      'RECORDING_DIFFERS',
      `two recordings of the model have ${first.length} and ${second.length} operations: ` +
        'expected operations that do not depend on values',
    );
  }
  first.forEach((node, index) => {
    const other = second[index];
    if (other?.op !== node.op || other.inputs.join() !== node.inputs.join()) {
      throw new EngineError(
        'RECORDING_DIFFERS',
        `operation ${node.name} differs between two recordings of the model`,
      );
    }
    for (const [name, value] of Object.entries(node.attributes)) {
      if (isSame(value, other.attributes[name])) continue;
      if (node.op === 'Const') {
        const user = first.find(({ inputs }) => inputs.includes(`${node.name}:0`));
        throw new EngineError(
          'CONSTANT_DIFFERS',
          `a constant that operation ${user?.name ?? 'of no one'} uses differs between two recordings: ` +
            'the model computes it in JavaScript, where it would be frozen',
        );
      }
      throw new EngineError(
        'RECORDING_DIFFERS',
        `attribute ${name} of operation ${node.name} differs between two recordings of the model`,
      );
    }
  });
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
