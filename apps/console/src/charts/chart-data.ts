/** One curve: `y` over `x`, both of one length; a null is a gap. */
export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** Index into the palette. */
  readonly color: number;
  /** Few and far between, as evaluations: drawn with their points. */
  readonly isSparse?: boolean;
  /** What a smoothed curve was made of: drawn faintly, not in the legend. */
  readonly isFaint?: boolean;
}

/** A vertical line at an event. */
export interface Mark {
  readonly x: number;
  readonly title: string;
  readonly kind: 'generation' | 'fault';
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Columns over one axis, as uPlot takes them: the first is x, the others are the curves' values. */
export function joinCurves(
  curves: readonly Curve[],
): [number[], ...(number | null | undefined)[][]] {
  const xs = [...new Set(curves.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const indexOf = new Map(xs.map((x, index) => [x, index]));
  const columns = curves.map(({ x, y }) => {
    // Undefined: no point here, and the line goes on; null would be a gap.
    const column: (number | null | undefined)[] = new Array<undefined>(xs.length).fill(undefined);
    x.forEach((value, i) => {
      const index = indexOf.get(value);
      if (index !== undefined) column[index] = y[i] ?? null;
    });
    return column;
  });
  return [xs, ...columns];
}

/**
 * Exponential moving average, with the bias of its beginning taken out as Adam does (Kingma and Ba
 * 2015, 3). The weight of a point falls with its distance, so that a thinned history is smoothed as
 * the whole one would be.
 *
 * @param weight share of the past that one unit of distance keeps, on [0, 1); 0 changes nothing
 * @param unit distance between neighbours in the whole history
 */
export function smooth(
  x: readonly number[],
  y: readonly (number | null)[],
  weight: number,
  unit: number,
): (number | null)[] {
  if (weight <= 0) return [...y];
  let sum = 0;
  let weights = 0;
  let lastX: number | null = null;
  return y.map((value, i) => {
    const at = x[i] ?? 0;
    if (value === null || !Number.isFinite(value)) return null;
    const distance = lastX === null ? 0 : Math.max(0, at - lastX) / unit;
    const kept = weight ** distance;
    lastX = at;
    sum = sum * kept + value * (1 - weight);
    weights = weights * kept + (1 - weight);
    return sum / weights;
  });
}

/** A range zoomed about a point of it; stays inside the bounds. */
export function zoomed(range: Range, bounds: Range, factor: number, about: number): Range {
  const min = about - (about - range.min) * factor;
  const max = about + (range.max - about) * factor;
  return clamped({ min, max }, bounds);
}

/** A range moved by a share of its width; stays inside the bounds. */
export function panned(range: Range, bounds: Range, share: number): Range {
  const by = (range.max - range.min) * share;
  return clamped({ min: range.min + by, max: range.max + by }, bounds);
}

function clamped({ min, max }: Range, bounds: Range): Range {
  const width = Math.min(max - min, bounds.max - bounds.min);
  const from = Math.min(Math.max(min, bounds.min), bounds.max - width);
  return { min: from, max: from + width };
}
