import { createHash } from 'node:crypto';
import { Model } from './model.js';
import type { ModelSize } from './model-parts.js';

export interface Exploration {
  readonly numStates: number;
  readonly numMoves: number;
  /** States in which the job has ended. */
  readonly numEnds: number;
}

interface Node {
  readonly model: Model;
  readonly move: string;
  readonly parent: Node | null;
}

/** The moves from the beginning to a node. */
function trace(node: Node | null): string[] {
  return node === null ? [] : [...trace(node.parent), node.move];
}

/**
 * Visits every state that a model can reach, each once. Throws at the first broken invariant, with
 * the moves that lead there.
 */
export function explore(size: ModelSize): Exploration {
  const seen = new Set<string>();
  const stack: Node[] = [];
  let numMoves = 0;
  let numEnds = 0;
  const visit = (node: Node): void => {
    const key = createHash('sha1').update(node.model.key()).digest('base64');
    if (seen.has(key)) return;
    seen.add(key);
    if (node.model.hasEnded) numEnds += 1;
    stack.push(node);
  };
  visit({ model: new Model(size), move: 'begin', parent: null });
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { progress, faults } = node.model.moves();
    try {
      if (progress.length === 0) node.model.checkRest();
      for (const move of [...progress, ...faults]) {
        numMoves += 1;
        const next = { model: node.model.copy(), move, parent: node };
        try {
          next.model.move(move);
        } catch (error) {
          throw new Error(`${move}: ${String(error)}`, { cause: error });
        }
        visit(next);
      }
    } catch (error) {
      const moves = trace(node).join(', ');
      throw new Error(`after ${moves}: ${String(error)}`, { cause: error });
    }
  }
  return { numStates: seen.size, numMoves, numEnds };
}
