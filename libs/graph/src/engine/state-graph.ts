import type { GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import type { VariableSet } from '../variables.js';

/** Reads and writes all variables of a graph. */
export interface StateGraph {
  /** In the order of `names`. */
  readonly reads: readonly Output[];
  readonly writes: readonly Output[];
  readonly written: Output;
}

export function buildState(g: GraphBuilder, variables: VariableSet): StateGraph {
  const writes = variables.names.map((name, index) =>
    g.placeholder(`state/write/${index}`, DataType.float32, variables.shape(name)),
  );
  const assignments = variables.names.map((name, index) =>
    variables.assign(name, writes[index] ?? ''),
  );
  return {
    reads: variables.names.map((name) => variables.read(name)),
    writes,
    written: g.after(assignments, 'state/written'),
  };
}
