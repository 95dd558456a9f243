import { attribute } from '../graph-builder.js';
import { DataType, type Graph, type Node, type Output } from '../graph-def.js';

/** How an operation takes bfloat16 in its type attribute T. */
interface Rule {
  /**
   * `always`: worth a conversion of its inputs. `any`, `all`: where any or all of its values are
   * bfloat16 already, so that they need not be converted back.
   */
  readonly when: 'always' | 'any' | 'all';
  /** Inputs of type T; all data inputs where absent, but the last `except`. */
  readonly inputs?: readonly number[];
  readonly except?: number;
  /** Outputs of type T; all where absent. */
  readonly outputs?: readonly number[];
}

/**
 * What may run in bfloat16. All else stays in float32: the classifier, the loss, all sums and means
 * (global pooling too), and of batch norm the statistics, scales and offsets with their gradients.
 */
const rules: Readonly<Record<string, Rule>> = {
  Conv2D: { when: 'always' },
  Conv2DBackpropInput: { when: 'always', inputs: [1, 2] },
  Conv2DBackpropFilter: { when: 'always', inputs: [0, 2] },
  FusedBatchNormV3: { when: 'any', inputs: [0], outputs: [0] },
  FusedBatchNormGradV3: { when: 'any', inputs: [0, 1], outputs: [0] },
  Relu: { when: 'any' },
  ReluGrad: { when: 'any' },
  MaxPool: { when: 'any' },
  MaxPoolGrad: { when: 'any' },
  AvgPool: { when: 'any' },
  AvgPoolGrad: { when: 'any', inputs: [1] },
  Add: { when: 'all' },
  AddV2: { when: 'all' },
  AddN: { when: 'all' },
  ConcatV2: { when: 'any', except: 1 },
  Identity: { when: 'any' },
  Pad: { when: 'any', inputs: [0] },
  PadV2: { when: 'any', inputs: [0, 2] },
  Reshape: { when: 'any', inputs: [0] },
  Slice: { when: 'any', inputs: [0] },
  SplitV: { when: 'any', inputs: [0] },
  StridedSlice: { when: 'any', inputs: [0] },
  StridedSliceGrad: { when: 'any', inputs: [4] },
};

const { float32, bfloat16 } = DataType;

/**
 * Runs convolutions, and what lies between them, in bfloat16 with conversions where the type
 * changes: mixed precision as in Micikevicius et al. 2018, which bfloat16 needs no loss scaling for.
 * Variables stay float32. A value is converted once, however many use it.
 *
 * @param isCast which nodes are asked; the others stay as they are
 */
export function autocast(graph: Graph, isCast: (node: Node) => boolean): Graph {
  const result: Node[] = [];
  /** Values of the new graph that are bfloat16 and were float32. */
  const small = new Set<Output>();
  const converted = new Map<string, Output>();
  const convert = (value: Output, to: number): Output => {
    const key = `${value}>${to}`;
    const known = converted.get(key);
    if (known !== undefined) return known;
    const from = to === bfloat16 ? float32 : bfloat16;
    const suffix = to === bfloat16 ? 'bfloat16' : 'float32';
    const name = `${value.replace(':', '_')}/${suffix}`;
    const attributes = { SrcT: attribute.type(from), DstT: attribute.type(to) };
    result.push({ name, op: 'Cast', inputs: [value], attributes });
    converted.set(key, `${name}:0`);
    return `${name}:0`;
  };
  for (const node of graph) {
    const places = placesOf(node, isCast);
    const isSmall = (index: number): boolean => small.has(node.inputs[index] ?? '');
    const { when, outputs } = rules[node.op] ?? {};
    const fits =
      places.length > 0 &&
      (when === 'always' || (when === 'any' ? places.some(isSmall) : places.every(isSmall)));
    const inputs = node.inputs.map((input, index) => {
      if (fits && places.includes(index)) return isSmall(index) ? input : convert(input, bfloat16);
      return isSmall(index) ? convert(input, float32) : input;
    });
    if (!fits) {
      result.push({ ...node, inputs });
      continue;
    }
    const indices = outputs ?? Array.from({ length: numOutputs(node) }, (_, index) => index);
    for (const index of indices) small.add(`${node.name}:${index}`);
    result.push({
      ...node,
      inputs,
      attributes: { ...node.attributes, T: attribute.type(bfloat16) },
      ...(node.types === undefined
        ? {}
        : { types: node.types.map((type, index) => (indices.includes(index) ? bfloat16 : type)) }),
    });
  }
  return result;
}

/** Indices of the inputs that could be bfloat16; none for a node that stays as it is. */
function placesOf(node: Node, isCast: (node: Node) => boolean): number[] {
  const rule = rules[node.op];
  const { T } = node.attributes;
  if (rule === undefined || T?.kind !== 'type' || T.value !== float32 || !isCast(node)) return [];
  const data = node.inputs.flatMap((input, index) => (input.startsWith('^') ? [] : [index]));
  return [...(rule.inputs ?? data.slice(0, data.length - (rule.except ?? 0)))];
}

function numOutputs({ attributes }: Node): number {
  const { num_split } = attributes;
  return num_split?.kind === 'int' ? num_split.value : 1;
}
