/** A line of a panel: points in its own units. */
export interface Line {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly colour: string;
  /** Thin lines have no dots at their points. */
  readonly isThin?: boolean;
  /** Words behind the last point. */
  readonly label?: string;
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly isLogY?: boolean;
}

/** Where a panel lies, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const INK = '#1f2933';
const MUTED = '#7b8794';
const GRID = '#e4e7eb';
/** A line of more points is drawn without dots. */
const MAX_DOTS = 16;
/** Pixels from one label to the next. */
const LINE_HEIGHT = 16;

/** One panel as SVG: title, grid, axes, lines. */
export function panelSvg(panel: Panel, box: Box): string {
  const { left, top, width, height } = box;
  const scaleX = scale(panel.x, [left, left + width], false);
  const scaleY = scale(panel.y, [top + height, top], panel.isLogY === true);
  const yTicks = panel.isLogY === true ? logTicks(panel.y) : ticks(panel.y, 5);
  const xTicks = ticks(panel.x, 6).filter(Number.isInteger);
  return [
    text(left, top - 14, panel.title, { size: 15, weight: 600 }),
    ...yTicks.flatMap((tick) => [
      line(left, scaleY(tick), left + width, scaleY(tick), GRID),
      text(left - 8, scaleY(tick) + 4, label(tick, panel.isLogY === true), {
        anchor: 'end',
        colour: MUTED,
      }),
    ]),
    ...xTicks.map((tick) =>
      text(scaleX(tick), top + height + 18, String(tick), { anchor: 'middle', colour: MUTED }),
    ),
    line(left, top + height, left + width, top + height, MUTED),
    text(left + width / 2, top + height + 38, panel.xLabel, { anchor: 'middle', colour: MUTED }),
    `<g transform="translate(${left - 56} ${top + height / 2}) rotate(-90)">${text(0, 0, panel.yLabel, { anchor: 'middle', colour: MUTED })}</g>`,
    ...panel.lines.map((entry) => path(entry, scaleX, scaleY)),
    ...labels(panel.lines, left + width + 10, scaleY),
  ].join('\n');
}

function path(
  { points, colour, isThin = false }: Line,
  scaleX: (x: number) => number,
  scaleY: (y: number) => number,
): string {
  const places = points.map(([x, y]) => [round(scaleX(x)), round(scaleY(y))] as const);
  const stroke = isThin ? 'stroke-width="1.3" stroke-opacity="0.7"' : 'stroke-width="2.6"';
  const drawn = `<polyline fill="none" stroke="${colour}" ${stroke} stroke-linejoin="round" stroke-linecap="round" points="${places.map(String).join(' ')}"/>`;
  const dots = isThin || points.length > MAX_DOTS ? [] : places;
  return [
    drawn,
    ...dots.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.2" fill="${colour}"/>`),
  ].join('\n');
}

/** Of the lines that have one, at the height of their ends, but never one on the other. */
function labels(lines: readonly Line[], x: number, scaleY: (y: number) => number): string[] {
  const ends = lines
    .flatMap(({ points, colour, label: words }) => {
      const end = points.at(-1);
      return words === undefined || end === undefined
        ? []
        : [{ words, colour, y: scaleY(end[1]) + 4 }];
    })
    .sort((a, b) => a.y - b.y);
  let above = -Infinity;
  return ends.map(({ words, colour, y }) => {
    above = Math.max(y, above + LINE_HEIGHT);
    return text(x, above, words, { size: 13, weight: 700, colour });
  });
}

export interface TextStyle {
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly colour?: string;
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 12, weight = 400, anchor = 'start', colour = INK } = style;
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${colour}">${escaped(content)}</text>`;
}

export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  colour: string,
  width = 1,
): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}" stroke-width="${width}"/>`;
}

export function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function scale(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
  isLog: boolean,
): (value: number) => number {
  const place = (value: number): number => (isLog ? Math.log10(value) : value);
  const span = place(to) - place(from) || 1;
  return (value) => start + ((place(value) - place(from)) / span) * (end - start);
}

/** Round numbers between the limits, about `count` of them. */
export function ticks([from, to]: readonly [number, number], count: number): number[] {
  const rough = (to - from || 1) / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * magnitude).find((s) => s >= rough) ?? rough;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** Powers of ten between the limits; of less than three decades, their twos and fives as well. */
export function logTicks([from, to]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(from));
  const last = Math.ceil(Math.log10(to));
  const multiples = Math.log10(to / from) < 3 ? [1, 2, 5] : [1];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    .flatMap((power) => multiples.map((m) => Number((m * 10 ** power).toPrecision(12))))
    .filter((tick) => tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9));
}

function label(value: number, isLog: boolean): string {
  return isLog && (value < 0.001 || value > 999) ? value.toExponential(0) : String(value);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
