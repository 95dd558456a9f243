import { attribute, type GraphBuilder } from './graph-builder.js';
import { DataType, type Output } from './graph-def.js';

/** Adds float32 resource variables to a graph, which live in the session that runs it. */
export class VariableSet {
  private readonly handles = new Map<string, { handle: Output; shape: readonly number[] }>();

  constructor(
    private readonly builder: GraphBuilder,
    /** Keeps the variables of two graphs apart. */
    private readonly owner: string,
  ) {}

  get names(): string[] {
    return [...this.handles.keys()];
  }

  declare(name: string, shape: readonly number[]): void {
    const hint = `variable/${this.handles.size}`;
    const handle = this.builder.add(
      'VarHandleOp',
      [],
      {
        dtype: attribute.type(DataType.float32),
        shape: attribute.shape(shape),
        shared_name: attribute.string(`${this.owner}/${name}`),
        container: attribute.string(''),
      },
      hint,
    );
    this.handles.set(name, { handle, shape });
  }

  handle(name: string): Output {
    return this.entry(name).handle;
  }

  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  /** The variable's value at the time that `after` has run. */
  read(name: string, after: readonly string[] = []): Output {
    const controls = after.map((node) => `^${node}`);
    return this.builder.add('ReadVariableOp', [this.handle(name), ...controls], {
      dtype: attribute.type(DataType.float32),
    });
  }

  /** Returns the name of the assigning node. */
  assign(name: string, value: Output): string {
    return this.builder.node('AssignVariableOp', [this.handle(name), value], {
      dtype: attribute.type(DataType.float32),
    });
  }

  /** Returns the name of the subtracting node. */
  subtract(name: string, value: Output): string {
    return this.builder.node('AssignSubVariableOp', [this.handle(name), value], {
      dtype: attribute.type(DataType.float32),
    });
  }

  private entry(name: string): { handle: Output; shape: readonly number[] } {
    const entry = this.handles.get(name);
    if (entry === undefined) throw new Error(`variable ${name} is not declared`);
    return entry;
  }
}
