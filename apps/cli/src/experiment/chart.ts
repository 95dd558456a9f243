/** A line of a panel: points in its own units. */
export interface Line {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly colour: string;
  readonly isThin?: boolean;
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

/** One panel as SVG: title, grid, axes, lines. */
export function panelSvg(panel: Panel, box: Box): string {
  const { left, top, width, height } = box;
  const scaleX = scale(panel.x, [left, left + width], false);
  const scaleY = scale(panel.y, [top + height, top], panel.isLogY === true);
  const yTicks = panel.isLogY === true ? powers(panel.y) : ticks(panel.y, 5);
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
    `<g transform="translate(${left - 46} ${top + height / 2}) rotate(-90)">${text(0, 0, panel.yLabel, { anchor: 'middle', colour: MUTED })}</g>`,
    ...panel.lines.map((entry) => path(entry, scaleX, scaleY)),
  ].join('\n');
}

function path(
  { points, colour, isThin = false }: Line,
  scaleX: (x: number) => number,
  scaleY: (y: number) => number,
): string {
  const places = points.map(([x, y]) => `${round(scaleX(x))},${round(scaleY(y))}`);
  const stroke = isThin ? 'stroke-width="1.4" stroke-opacity="0.75"' : 'stroke-width="2.6"';
  return `<polyline fill="none" stroke="${colour}" ${stroke} stroke-linejoin="round" stroke-linecap="round" points="${places.join(' ')}"/>`;
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

export function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}"/>`;
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

function powers([from, to]: readonly [number, number]): number[] {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

function label(value: number, isLog: boolean): string {
  return isLog && (value < 0.01 || value > 999) ? value.toExponential(0) : String(value);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
