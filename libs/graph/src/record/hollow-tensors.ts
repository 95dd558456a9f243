import type { Binding, OpAttribute, TensorMetadata } from '../binding.js';
import { DataType } from '../graph-def.js';
import { resultShapes } from './shape-rules.js';

/** Float32 results up to this size keep their values. */
const SMALL_BYTES = 65_536;
/** In place of a value: nothing is divided by zero, and as an index it is the first. */
const FILLER = 0.5;

const numValues = ({ shape }: Pick<TensorMetadata, 'shape'>): number =>
  shape.reduce((product, size) => product * size, 1);

/**
 * Runs operations for the shapes of their results. A model may not read values while it is recorded,
 * so a large float32 tensor can be hollow: one native value that stands for a whole shape. Recording
 * then needs the memory of one operation and not of a training step, and does not compute the
 * operations whose shapes are known by a rule.
 */
export class HollowTensors {
  private readonly hollow = new Set<number>();
  private filler = new Float32Array(0);

  constructor(private readonly native: Binding) {}

  /** As the binding's executeOp, of inputs in any of the two forms. */
  execute(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorMetadata[],
    numOutputs: number,
  ): TensorMetadata[] {
    const shapes = resultShapes(op, {
      attributes,
      shapes: inputs.map(({ shape }) => shape),
      integersOf: (input) => [...this.native.tensorDataSync(inputs[input]?.id ?? 0)],
    });
    const isCostly =
      inputs.some(({ id }) => this.hollow.has(id)) ||
      (shapes ?? []).some((shape) => isLarge({ shape: [...shape] }));
    const isFloat = inputs.at(-1)?.dtype === DataType.float32;
    if (shapes !== null && isCostly && isFloat) {
      return shapes.slice(0, numOutputs).map((shape) => this.create([...shape]));
    }
    return this.run(op, attributes, inputs, numOutputs);
  }

  private run(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorMetadata[],
    numOutputs: number,
  ): TensorMetadata[] {
    const filled: number[] = [];
    try {
      const ids = inputs.map((input) => {
        if (!this.hollow.has(input.id)) return input.id;
        const id = this.fill(input);
        filled.push(id);
        return id;
      });
      return this.native.executeOp(op, attributes, ids, numOutputs).map((result) => {
        if (result.dtype !== DataType.float32 || !isLarge(result)) return result;
        this.native.deleteTensor(result.id);
        return this.create(result.shape);
      });
    } finally {
      for (const id of filled) this.native.deleteTensor(id);
    }
  }

  private create(shape: number[]): TensorMetadata {
    const { float32 } = DataType;
    const id = this.native.createTensor([], float32, Float32Array.of(FILLER));
    this.hollow.add(id);
    return { id, shape, dtype: float32 };
  }

  /** A native tensor of the whole shape. */
  private fill(tensor: TensorMetadata): number {
    const length = numValues(tensor);
    if (this.filler.length < length) this.filler = new Float32Array(length).fill(FILLER);
    const { shape, dtype } = tensor;
    return this.native.createTensor(shape, dtype, this.filler.subarray(0, length));
  }
}

function isLarge(tensor: Pick<TensorMetadata, 'shape'>): boolean {
  return numValues(tensor) * Float32Array.BYTES_PER_ELEMENT > SMALL_BYTES;
}
