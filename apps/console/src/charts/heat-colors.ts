/** Stops of the colour map viridis (Smith and van der Walt 2015): even steps look even, also in grey. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];

/** RGB of a share on [0, 1]. */
export function heatColor(share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const index = Math.min(STOPS.length - 2, Math.floor(at));
  const from = STOPS[index] ?? [0, 0, 0];
  const to = STOPS[index + 1] ?? from;
  const mix = (channel: 0 | 1 | 2): number =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (at - index));
  return [mix(0), mix(1), mix(2)];
}

export interface HeatScale {
  /** Of the values shown. */
  readonly least: number;
  readonly greatest: number;
  readonly isLog: boolean;
}

/** The scale of values; logarithmic where all are positive and they span more than a factor of 20. */
export function heatScale(values: readonly (number | null)[]): HeatScale {
  let least = Infinity;
  let greatest = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return { least, greatest, isLog: least > 0 && greatest / least > 20 };
}

/** Where a value lies on the scale, on [0, 1]. */
export function heatShare({ least, greatest, isLog }: HeatScale, value: number): number {
  if (greatest <= least) return 0.5;
  return isLog
    ? Math.log(value / least) / Math.log(greatest / least)
    : (value - least) / (greatest - least);
}
