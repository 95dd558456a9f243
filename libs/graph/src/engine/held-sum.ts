import type { VectorLayout } from '@skipring/trainer';
import { attribute, type GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import type { ApplyGraph } from './apply-graph.js';

/** A sum of lanes that stays in a variable of the session. */
export interface HeldGraph {
  /** By number of samples: what begins a sum with a lane, and what adds one. */
  readonly begin: ReadonlyMap<number, Output>;
  readonly add: ReadonlyMap<number, Output>;
  /** The update by the sum. */
  readonly apply: ApplyGraph;
}

/** The variable, and access to it. */
export class HeldVariable {
  private readonly handle: Output;

  /** @param owner begins the variable's name, which is unique in the process */
  constructor(
    private readonly g: GraphBuilder,
    private readonly layout: VectorLayout,
    private readonly dtype: number,
    owner: string,
  ) {
    const attributes = {
      dtype: attribute.type(dtype),
      shape: attribute.shape([layout.length]),
      shared_name: attribute.string(`${owner}/held`),
      container: attribute.string(''),
    };
    this.handle = g.add('VarHandleOp', [], attributes, 'held/sum');
  }

  read(): Output {
    return this.g.add('ReadVariableOp', [this.handle], { dtype: attribute.type(this.dtype) });
  }

  /**
   * Keeps `vector`, or its sum with what is held, and then yields the elements from `metricsOffset` on;
   * behind them, of an int32 sum, the largest magnitude in each slot.
   */
  keep(vector: Output, isFirst: boolean): Output {
    const { g, dtype, layout } = this;
    const sum = isFirst ? vector : g.binary('AddV2', this.read(), vector, dtype);
    const kept = g.node('AssignVariableOp', [this.handle, sum], { dtype: attribute.type(dtype) });
    const { slots, length, metricsOffset } = layout;
    const parts = g.split(
      sum,
      [...slots.map((slot) => slot.length), length - metricsOffset],
      dtype,
    );
    const tail = parts[slots.length] ?? '';
    const maxima = slots.map((_, slot) =>
      g.reduce('Max', g.unary('Abs', parts[slot] ?? '', dtype), dtype),
    );
    const values = dtype === DataType.int32 ? g.concat([tail, g.pack(maxima, dtype)], dtype) : tail;
    return g.add('Identity', [values, `^${kept}`], { T: attribute.type(dtype) });
  }
}
