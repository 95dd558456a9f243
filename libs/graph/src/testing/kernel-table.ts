import * as tf from '@tensorflow/tfjs';

/** A use of one kernel: what it is given, and what is done with that. */
export interface KernelUse {
  readonly inputs: readonly tf.Tensor[];
  readonly run: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
}

type Run = (...inputs: never[]) => tf.Tensor | tf.Tensor[];

const use = (inputs: tf.Tensor[], run: Run): KernelUse => ({
  inputs,
  run: run as KernelUse['run'],
});
const kernel =
  (name: string, names: readonly string[], attributes: object = {}) =>
  (...inputs: tf.Tensor[]): tf.Tensor | tf.Tensor[] =>
    tf
      .engine()
      .runKernel(
        name,
        Object.fromEntries(names.map((input, index) => [input, inputs[index]!])),
        attributes as tf.NamedAttrMap,
      );

/** Numbers between 0.1 and 0.9, where every function below is defined. */
const plain = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from(
      { length: tf.util.sizeFromShape(shape) },
      (_, i) => 0.1 + ((i * 37) % 80) / 100,
    ),
    shape,
  );
const whole = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Int32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => 1 + ((i * 5) % 7)),
    shape,
    'int32',
  );
const truth = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Uint8Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    shape,
    'bool',
  );

const unary = (...names: string[]): [string, KernelUse][] =>
  names.map((name) => [name, use([plain(2, 3)], kernel(name, ['x']))]);
const binary = (...names: string[]): [string, KernelUse][] =>
  names.map((name) => [name, use([plain(2, 3), plain(3)], kernel(name, ['a', 'b']))]);
const logical = (...names: string[]): [string, KernelUse][] =>
  names.map((name) => [name, use([truth(2, 3), truth(3)], kernel(name, ['a', 'b']))]);
const reducing = (...names: string[]): [string, KernelUse][] =>
  names.map((name) => [
    name,
    use([plain(2, 3, 4)], kernel(name, ['x'], { axis: [1], keepDims: false })),
  ]);

const image = (): tf.Tensor4D => plain(2, 6, 6, 3) as tf.Tensor4D;
const volume = (): tf.Tensor5D => plain(1, 4, 4, 4, 2) as tf.Tensor5D;
const conv2d = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', dimRoundingMode: undefined };
const pool = { filterSize: [2, 2], strides: [2, 2], pad: 'valid' };
const pool3d = { filterSize: [2, 2, 2], strides: [2, 2, 2], pad: 'valid', dataFormat: 'NDHWC' };
const conv3d = { strides: [1, 1, 1], pad: 'same' };
const resize = { size: [3, 3], alignCorners: false, halfPixelCenters: true };
const dilation = { strides: [1, 1], pad: 'same', dilations: [1, 1] };

/** One use or more of each kernel of the backend that a recorded model may use. */
export const kernelTable = (): readonly [string, KernelUse][] => [
  ...unary('Abs', 'Acos', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Cos', 'Cosh', 'Elu', 'Erf'),
  ...unary('Exp', 'Expm1', 'Floor', 'IsFinite', 'IsInf', 'IsNan', 'Log', 'Log1p', 'Neg'),
  ...unary('OnesLike', 'Reciprocal', 'Relu', 'Relu6', 'Round', 'Rsqrt', 'Selu', 'Sigmoid', 'Sign'),
  ...unary('Sin', 'Sinh', 'Softplus', 'Sqrt', 'Square', 'Tan', 'Tanh', 'ZerosLike'),
  ...binary('Add', 'Atan2', 'Equal', 'FloorDiv', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'),
  ...binary('Maximum', 'Minimum', 'Mod', 'Multiply', 'NotEqual', 'Pow', 'RealDiv', 'Sub'),
  ...binary('SquaredDifference'),
  ...logical('LogicalAnd', 'LogicalOr'),
  ...reducing('Max', 'Mean', 'Min', 'Prod', 'Sum'),
  ['Acosh', use([plain(2, 3)], (x: tf.Tensor) => tf.acosh(x.add(1)))],
  ['AddN', use([plain(2, 3), plain(2, 3)], (a: tf.Tensor, b: tf.Tensor) => tf.addN([a, b]))],
  ['All', use([truth(2, 3)], (x: tf.Tensor) => tf.all(x, 1))],
  ['Any', use([truth(2, 3)], (x: tf.Tensor) => tf.any(x, 1))],
  ['ArgMax', use([plain(2, 3)], (x: tf.Tensor) => tf.argMax(x, 1))],
  ['ArgMin', use([plain(2, 3)], (x: tf.Tensor) => tf.argMin(x, 1))],
  ['AvgPool', use([image()], (x: tf.Tensor4D) => tf.avgPool(x, 2, 2, 'same'))],
  ['AvgPoolGrad', use([plain(2, 3, 3, 3), image()], kernel('AvgPoolGrad', ['dy', 'input'], pool))],
  ['AvgPool3D', use([volume()], kernel('AvgPool3D', ['x'], pool3d))],
  [
    'AvgPool3DGrad',
    use([plain(1, 2, 2, 2, 2), volume()], kernel('AvgPool3DGrad', ['dy', 'input'], pool3d)),
  ],
  [
    'BatchMatMul',
    use([plain(2, 3, 4), plain(2, 5, 4)], (a: tf.Tensor, b: tf.Tensor) =>
      tf.matMul(a, b, false, true),
    ),
  ],
  [
    'BatchToSpaceND',
    use([plain(4, 2, 2, 1)], (x: tf.Tensor) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [0, 1]])), // prettier-ignore
  ],
  [
    'Bincount',
    use([whole(6), plain(6)], (x: tf.Tensor1D, weights: tf.Tensor1D) => tf.bincount(x, weights, 8)),
  ],
  ['BroadcastArgs', use([whole(2), whole(2)], kernel('BroadcastArgs', ['s0', 's1']))],
  ['Cast', use([plain(2, 3)], (x: tf.Tensor) => tf.cast(x.mul(9), 'int32'))],
  ['Cast', use([whole(2, 3)], (x: tf.Tensor) => tf.cast(x, 'bool'))],
  ['ClipByValue', use([plain(2, 3)], (x: tf.Tensor) => tf.clipByValue(x, 0.3, 0.6))],
  [
    'Complex',
    use([plain(2, 3), plain(2, 3)], (a: tf.Tensor, b: tf.Tensor) => tf.real(tf.complex(a, b))),
  ],
  [
    'ComplexAbs',
    use([plain(2, 3), plain(2, 3)], (a: tf.Tensor, b: tf.Tensor) => tf.abs(tf.complex(a, b))),
  ],
  ['Concat', use([plain(2, 3), plain(2, 4)], (a: tf.Tensor, b: tf.Tensor) => tf.concat([a, b], 1))],
  [
    'Conv2D',
    use([image(), plain(3, 3, 3, 4)], (x: tf.Tensor4D, w: tf.Tensor4D) =>
      tf.conv2d(x, w, 2, 'same'),
    ),
  ],
  [
    'Conv2DBackpropFilter',
    use(
      [image(), plain(2, 6, 6, 4)],
      kernel('Conv2DBackpropFilter', ['x', 'dy'], { ...conv2d, filterShape: [3, 3, 3, 4] }),
    ),
  ],
  [
    'Conv2DBackpropInput',
    use(
      [plain(2, 6, 6, 4), plain(3, 3, 3, 4)],
      kernel('Conv2DBackpropInput', ['dy', 'filter'], { ...conv2d, inputShape: [2, 6, 6, 3] }),
    ),
  ],
  ['Conv3D', use([volume(), plain(2, 2, 2, 2, 3)], kernel('Conv3D', ['x', 'filter'], { ...conv3d, dilations: 1, dataFormat: 'NDHWC' }))], // prettier-ignore
  [
    'Conv3DBackpropFilterV2',
    use(
      [volume(), plain(1, 4, 4, 4, 3)],
      kernel('Conv3DBackpropFilterV2', ['x', 'dy'], { ...conv3d, filterShape: [2, 2, 2, 2, 3] }),
    ),
  ],
  [
    'Conv3DBackpropInputV2',
    use(
      [plain(1, 4, 4, 4, 3), plain(2, 2, 2, 2, 3)],
      kernel('Conv3DBackpropInputV2', ['dy', 'filter'], { ...conv3d, inputShape: [1, 4, 4, 4, 2] }),
    ),
  ],
  [
    'CropAndResize',
    use([image()], (x: tf.Tensor4D) =>
      tf.image.cropAndResize(x, [[0, 0, 0.5, 0.5]], [1], [3, 3], 'bilinear', 0.5),
    ),
  ],
  ['Cumprod', use([plain(2, 3)], (x: tf.Tensor) => tf.cumprod(x, 1, true, false))],
  ['Cumsum', use([plain(2, 3)], (x: tf.Tensor) => tf.cumsum(x, 1, false, true))],
  ['DepthToSpace', use([plain(1, 2, 2, 4)], (x: tf.Tensor4D) => tf.depthToSpace(x, 2, 'NHWC'))],
  [
    'DepthwiseConv2dNative',
    use([image(), plain(3, 3, 3, 2)], (x: tf.Tensor4D, w: tf.Tensor4D) =>
      tf.depthwiseConv2d(x, w, 1, 'same'),
    ),
  ],
  [
    'DepthwiseConv2dNativeBackpropFilter',
    use(
      [image(), plain(2, 6, 6, 6)],
      kernel('DepthwiseConv2dNativeBackpropFilter', ['x', 'dy'], {
        ...conv2d,
        dilations: [1, 1],
        filterShape: [3, 3, 3, 2],
      }),
    ),
  ],
  [
    'DepthwiseConv2dNativeBackpropInput',
    use(
      [plain(2, 6, 6, 6), plain(3, 3, 3, 2)],
      kernel('DepthwiseConv2dNativeBackpropInput', ['dy', 'filter'], {
        ...conv2d,
        dilations: [1, 1],
        inputShape: [2, 6, 6, 3],
      }),
    ),
  ],
  ['Diag', use([plain(3)], (x: tf.Tensor) => tf.diag(x))],
  ['Dilation2D', use([image(), plain(2, 2, 3)], kernel('Dilation2D', ['x', 'filter'], dilation))],
  [
    'Dilation2DBackpropFilter',
    use(
      [image(), plain(2, 2, 3), image()],
      kernel('Dilation2DBackpropFilter', ['x', 'filter', 'dy'], dilation),
    ),
  ],
  [
    'Dilation2DBackpropInput',
    use(
      [image(), plain(2, 2, 3), image()],
      kernel('Dilation2DBackpropInput', ['x', 'filter', 'dy'], dilation),
    ),
  ],
  [
    'Einsum',
    use([plain(2, 3), plain(3, 4)], (a: tf.Tensor, b: tf.Tensor) => tf.einsum('ij,jk->ik', a, b)),
  ],
  ['EluGrad', use([plain(2, 3), plain(2, 3)], kernel('EluGrad', ['dy', 'y']))],
  ['ExpandDims', use([plain(2, 3)], (x: tf.Tensor) => tf.expandDims(x, 1))],
  [
    'FFT',
    use([plain(2, 4), plain(2, 4)], (a: tf.Tensor, b: tf.Tensor) =>
      tf.imag(tf.fft(tf.complex(a, b))),
    ),
  ],
  [
    'IFFT',
    use([plain(2, 4), plain(2, 4)], (a: tf.Tensor, b: tf.Tensor) =>
      tf.real(tf.ifft(tf.complex(a, b))),
    ),
  ],
  ['Fill', use([plain(2)], (x: tf.Tensor) => x.add(tf.fill([2], 3)))],
  ['FlipLeftRight', use([image()], (x: tf.Tensor4D) => tf.image.flipLeftRight(x))],
  [
    'FusedBatchNorm',
    use([image(), plain(3), plain(3)], (x: tf.Tensor4D, mean: tf.Tensor1D, v: tf.Tensor1D) =>
      tf.batchNorm(x, mean, v, tf.zeros([3]), tf.ones([3]), 1e-3),
    ),
  ],
  [
    'FusedConv2D',
    use([image(), plain(1, 1, 3, 4), plain(4)], (x: tf.Tensor4D, filter: tf.Tensor4D, bias) =>
      tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', bias, activation: 'relu' }),
    ),
  ],
  [
    'FusedDepthwiseConv2D',
    use([image(), plain(3, 3, 3, 1), plain(3)], (x: tf.Tensor4D, filter: tf.Tensor4D, bias) =>
      tf.fused.depthwiseConv2d({ x, filter, strides: 1, pad: 'same', bias, activation: 'elu' }),
    ),
  ],
  [
    'GatherNd',
    use(
      [plain(3, 4)],
      (x: tf.Tensor) =>
      tf.gatherND(x, tf.tensor2d([[0, 1], [2, 3]], [2, 2], 'int32')), // prettier-ignore
    ),
  ],
  ['GatherV2', use([plain(3, 4)], (x: tf.Tensor) => tf.gather(x, [2, 0], 0))],
  ['Identity', use([plain(2, 3)], (x: tf.Tensor) => x.clone().neg())],
  ['Imag', use([plain(2), plain(2)], (a: tf.Tensor, b: tf.Tensor) => tf.imag(tf.complex(a, b)))],
  ['Real', use([plain(2), plain(2)], (a: tf.Tensor, b: tf.Tensor) => tf.real(tf.complex(a, b)))],
  ['LeakyRelu', use([plain(2, 3)], (x: tf.Tensor) => tf.leakyRelu(x.sub(0.5), 0.3))],
  ['LinSpace', use([plain(4)], (x: tf.Tensor) => x.add(tf.linspace(0, 1, 4)))],
  ['LogicalNot', use([truth(2, 3)], (x: tf.Tensor) => tf.logicalNot(x))],
  ['LRN', use([image()], (x: tf.Tensor4D) => tf.localResponseNormalization(x, 2))],
  [
    'LRNGrad',
    use(
      [image(), image(), image()],
      kernel('LRNGrad', ['x', 'y', 'dy'], { depthRadius: 2, bias: 1, alpha: 0.5, beta: 0.5 }),
    ),
  ],
  ['MaxPool', use([image()], (x: tf.Tensor4D) => tf.maxPool(x, 3, 2, 'same'))],
  [
    'MaxPoolGrad',
    use([image()], (x: tf.Tensor4D) => tf.grad((y) => tf.maxPool(y as tf.Tensor4D, 2, 2, 0))(x)),
  ],
  ['MaxPool3D', use([volume()], kernel('MaxPool3D', ['x'], pool3d))],
  [
    'MaxPool3DGrad',
    use(
      [plain(1, 2, 2, 2, 2), volume(), plain(1, 2, 2, 2, 2)],
      kernel('MaxPool3DGrad', ['dy', 'input', 'output'], pool3d),
    ),
  ],
  [
    'MirrorPad',
    use([plain(3, 3)], (x: tf.Tensor) => tf.mirrorPad(x, [[1, 1], [0, 1]], 'reflect')), // prettier-ignore
  ],
  ['OneHot', use([whole(5)], (x: tf.Tensor) => tf.oneHot(x, 8, 0.9, 0.1))],
  ['Pack', use([plain(2), plain(2)], (a: tf.Tensor, b: tf.Tensor) => tf.stack([a, b], 1))],
  ['PadV2', use([plain(2, 2)], (x: tf.Tensor) => tf.pad(x, [[1, 0], [0, 2]], 0.5))], // prettier-ignore
  ['Prelu', use([plain(2, 3), plain(3)], (x: tf.Tensor, a: tf.Tensor) => tf.prelu(x.sub(0.5), a))],
  ['Range', use([plain(4)], (x: tf.Tensor) => x.add(tf.range(0, 4)))],
  ['Reshape', use([plain(2, 3)], (x: tf.Tensor) => tf.reshape(x, [3, 2]))],
  ['ResizeBilinear', use([image()], kernel('ResizeBilinear', ['images'], resize))],
  [
    'ResizeBilinearGrad',
    use(
      [plain(2, 3, 3, 3), image()],
      kernel('ResizeBilinearGrad', ['dy', 'images'], { alignCorners: false }),
    ),
  ],
  ['ResizeNearestNeighbor', use([image()], kernel('ResizeNearestNeighbor', ['images'], resize))],
  [
    'ResizeNearestNeighborGrad',
    use(
      [plain(2, 3, 3, 3), image()],
      kernel('ResizeNearestNeighborGrad', ['dy', 'images'], { alignCorners: false }),
    ),
  ],
  ['Reverse', use([plain(2, 3)], (x: tf.Tensor) => tf.reverse(x, [1]))],
  [
    'ScatterNd',
    use([plain(2)], (x: tf.Tensor) =>
      tf.scatterND(tf.tensor2d([[1], [3]], [2, 1], 'int32'), x, [5]),
    ),
  ],
  [
    'Select',
    use([truth(2, 3), plain(2, 3), plain(2, 3)], (c: tf.Tensor, a: tf.Tensor, b: tf.Tensor) =>
      tf.where(c, a, b.neg()),
    ),
  ],
  ['Slice', use([plain(3, 4)], (x: tf.Tensor) => tf.slice(x, [1, 1], [2, 2]))],
  ['Softmax', use([plain(2, 3)], (x: tf.Tensor) => tf.softmax(x))],
  [
    'SpaceToBatchND',
    use([plain(1, 4, 4, 1)], (x: tf.Tensor) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [0, 0]])), // prettier-ignore
  ],
  [
    'SparseToDense',
    use([plain(2)], (x: tf.Tensor) => tf.sparseToDense(tf.tensor1d([1, 3], 'int32'), x, [5], 0.5)),
  ],
  ['SplitV', use([plain(2, 6)], (x: tf.Tensor) => tf.split(x, [1, 2, 3], 1))],
  [
    'StaticRegexReplace',
    use([plain(2)], (x: tf.Tensor) =>
      x.add(
        tf
          .engine()
          .runKernel<tf.Tensor>(
            'StaticRegexReplace',
            { x: tf.tensor1d(['ab', 'cb'], 'string') },
            { pattern: 'b', rewrite: 'c', replaceGlobal: true },
          )
          .equal(tf.tensor1d(['ac', 'dd'], 'string'))
          .toFloat(),
      ),
    ),
  ],
  ['Step', use([plain(2, 3)], (x: tf.Tensor) => tf.step(x.sub(0.5), 0.1))],
  [
    'StridedSlice',
    use([plain(4, 6)], (x: tf.Tensor) => tf.stridedSlice(x, [0, 1], [4, 6], [2, 2])),
  ],
  [
    'TensorScatterUpdate',
    use([plain(5), plain(2)], (x: tf.Tensor, updates: tf.Tensor) =>
      tf.tensorScatterUpdate(x, tf.tensor2d([[1], [3]], [2, 1], 'int32'), updates),
    ),
  ],
  ['Tile', use([plain(2, 3)], (x: tf.Tensor) => tf.tile(x, [2, 1]))],
  [
    'TopK',
    use([plain(2, 5)], (x: tf.Tensor) => {
      const { values, indices } = tf.topk(x, 2);
      return [values, indices];
    }),
  ],
  ['Transpose', use([plain(2, 3, 4)], (x: tf.Tensor) => tf.transpose(x, [2, 0, 1]))],
  ['Unpack', use([plain(3, 2)], (x: tf.Tensor) => tf.unstack(x, 0))],
  [
    'UnsortedSegmentSum',
    use([plain(4, 2)], (x: tf.Tensor) =>
      tf.unsortedSegmentSum(x, tf.tensor1d([0, 1, 0, 2], 'int32'), 3),
    ),
  ],
  [
    '_FusedMatMul',
    use([plain(2, 3), plain(3, 4), plain(4)], (a: tf.Tensor2D, b: tf.Tensor2D, bias: tf.Tensor) =>
      tf.fused.matMul({ a, b, transposeA: false, transposeB: false, bias, activation: 'relu' }),
    ),
  ],
];
