/** What fixtures/pytorch keeps of a tensor: see fixtures/make_pytorch_fixtures.py. */
export interface TensorDigest {
  readonly norm: number;
  readonly largest: number;
  /** Values at equal distances. */
  readonly samples: readonly number[];
  /** Dot products with vectors of random signs. */
  readonly projections: readonly number[];
}

/** FNV-1a of an ASCII name, and the finaliser of MurmurHash3 over an index: uint32. */
function hash(seed: number, index: number): number {
  let x = (seed + Math.imul(index, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function seedOf(name: string): number {
  let seed = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    seed = Math.imul(seed ^ name.charCodeAt(index), 0x01000193) >>> 0;
  }
  return seed;
}

/** Values on [offset - scale, offset + scale), a function of name and index alone. */
export function referenceValues(
  name: string,
  size: number,
  scale: number,
  offset = 0,
): Float32Array {
  const seed = seedOf(name);
  return Float32Array.from(
    { length: size },
    (_, index) => offset + scale * ((hash(seed, index) >>> 8) / 2 ** 23 - 1),
  );
}

export function referenceLabels(name: string, size: number, numClasses: number): Int32Array {
  const seed = seedOf(name);
  return Int32Array.from({ length: size }, (_, index) => hash(seed, index) % numClasses);
}

/** Start of a parameter as the fixtures have it. */
export function referenceParameter(
  seed: number,
  name: string,
  shape: readonly number[],
): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = (scale: number, offset = 0): Float32Array =>
    referenceValues(`${seed}/${name}`, size, scale, offset);
  if (name.endsWith('/gamma')) return values(0.2, 1);
  if (name.endsWith('/beta')) return values(0.2);
  if (name.endsWith('/bias')) return values(0.1);
  const [height = 1, width = 1, , filters = 1] = shape;
  return values(Math.sqrt(shape.length === 2 ? 3 / height : 6 / (height * width * filters)));
}

/**
 * Error of a tensor against its digest: the larger of the estimated norm of the error as a share of
 * the norm, and the largest error of a sample as a share of the largest value.
 */
export function errorOf(name: string, values: ArrayLike<number>, digest: TensorDigest): number {
  const { norm, largest, samples, projections } = digest;
  const stride = Math.max(1, Math.floor(values.length / 16));
  let sampleError = 0;
  samples.forEach((expected, index) => {
    const gap = Math.abs((values[index * stride] ?? NaN) - expected);
    sampleError = Number.isNaN(gap) ? Infinity : Math.max(sampleError, gap);
  });
  const squares = projections.reduce((sum, expected, k) => {
    const seed = seedOf(`projection${k} ${name}`);
    let actual = 0;
    for (let index = 0; index < values.length; index++) {
      actual += (hash(seed, index) >>> 31 === 0 ? 1 : -1) * (values[index] ?? NaN);
    }
    return sum + (actual - expected) ** 2;
  }, 0);
  const error = Math.max(Math.sqrt(squares / projections.length) / norm, sampleError / largest);
  return Number.isNaN(error) ? Infinity : error;
}
