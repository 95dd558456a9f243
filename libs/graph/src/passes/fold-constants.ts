import { attribute } from '../graph-builder.js';
import { DataType, type Graph, type Node, type Output } from '../graph-def.js';

/** A value of a graph that is known before it runs. */
export interface Constant {
  readonly dtype: number;
  readonly shape: readonly number[];
  /** Row-major values, little endian. */
  readonly bytes: Uint8Array;
}

/** What TensorFlow's own kernel yields for a node of one output: the same bits as in the graph. */
export type Evaluate = (node: Node, inputs: readonly Constant[]) => Constant;

/** Larger results stay computed: a graph that holds them would be slower to load and take more memory. */
const MAX_BYTES = 4_096;

/** Operations of one output that are functions of their inputs alone, as TensorFlow.js issues them. */
export const PURE: ReadonlySet<string> = new Set(
  [
    'Abs Add Cast Exp FloorDiv Log Maximum Minimum Mul Neg RealDiv',
    'Rsqrt Sqrt Square Sub Max Mean Min Prod Sum',
    'ConcatV2 ExpandDims Fill GatherV2 OnesLike Pack PadV2 Range Reshape',
    'Slice StridedSlice Tile Transpose ZerosLike',
    'Equal Greater GreaterEqual Less LessEqual NotEqual',
  ].flatMap((names) => names.split(' ')),
);

const { float32, int32, bool } = DataType;
/** Types whose values can be handed to TensorFlow and read back. */
const readable: readonly number[] = [float32, int32, bool];

/**
 * Computes what is made of small constants alone, such as axes, shapes and factors, once and not at
 * every run. Nodes keep their names; what only they needed is left for `prune`.
 */
export function foldConstants(graph: Graph, evaluate: Evaluate): Graph {
  const constants = new Map<Output, Constant>();
  return graph.map((node) => {
    const known = constantOf(node);
    if (known !== null) {
      constants.set(`${node.name}:0`, known);
      return node;
    }
    if (!PURE.has(node.op) || node.types?.length !== 1 || node.inputs.length === 0) return node;
    const inputs = node.inputs.flatMap((input) => constants.get(input) ?? []);
    if (inputs.length < node.inputs.length) return node;
    const value = evaluate(node, inputs);
    if (value.bytes.byteLength > MAX_BYTES || !readable.includes(value.dtype)) return node;
    constants.set(`${node.name}:0`, value);
    return {
      ...node,
      op: 'Const',
      inputs: [],
      attributes: { dtype: attribute.type(value.dtype), value: { kind: 'tensor', ...value } },
    };
  });
}

/** The value of a small constant; null for all else, and for one that marks a time. */
function constantOf({ op, inputs, attributes }: Node): Constant | null {
  const { value } = attributes;
  if (op !== 'Const' || inputs.length > 0 || value?.kind !== 'tensor') return null;
  if (value.bytes.byteLength > MAX_BYTES || !readable.includes(value.dtype)) return null;
  return { dtype: value.dtype, shape: value.shape, bytes: value.bytes };
}
