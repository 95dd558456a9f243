import type { Panel } from '../board.js';
import { formatValue } from './format-value.js';

/** What a panel shows: each line with its legend. Times are seconds since 1970. */
export interface Line {
  readonly legend: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface PanelData {
  readonly from: number;
  readonly to: number;
  readonly lines: readonly Line[];
}

/** In pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const COLORS = [
  '#73bf69',
  '#f2cc0c',
  '#8ab8ff',
  '#ff780a',
  '#f2495c',
  '#b877d9',
  '#5794f2',
  '#37872d',
];
const AXIS_WIDTH = 62;
const TITLE_HEIGHT = 26;
const LEGEND_HEIGHT = 15;
/** More would leave no room for the plot. */
const MAX_LEGENDS = 5;

/** A panel as SVG, in the manner of Grafana's. */
export function panelPicture(panel: Panel, data: PanelData, box: Box): string {
  const { x, y, width, height } = box;
  const inside = panel.kind === 'number' ? numbers(panel, data, box) : plot(panel, data, box);
  return [
    `<g transform="translate(${x} ${y})">`,
    `<rect width="${width}" height="${height}" rx="3" fill="#181b1f" stroke="#2c3235"/>`,
    `<text x="10" y="18" fill="#ccccdc" font-size="12" font-weight="600">${escaped(panel.title)}</text>`,
    inside,
    '</g>',
  ].join('\n');
}

function numbers(panel: Panel, { lines }: PanelData, { width, height }: Box): string {
  const shown = lines.slice(0, 3);
  if (shown.length === 0) return centered('no data', width / 2, height / 2 + 12, 14, '#8e8e9a');
  return shown
    .map(({ legend, points }, index) => {
      const value = points.at(-1)?.[1] ?? NaN;
      const at = ((index + 0.5) * width) / shown.length;
      const text = formatValue(value, panel.unit);
      return (
        centered(text, at, height / 2 + 18, 26, colorOf(panel, value)) +
        centered(shown.length > 1 ? legend : '', at, height - 8, 10, '#8e8e9a')
      );
    })
    .join('\n');
}

/** The color of the highest threshold that the value reaches. */
function colorOf({ thresholds = [] }: Panel, value: number): string {
  const reached = thresholds.filter(({ from }) => value >= from).at(-1)?.color ?? 'green';
  return { green: '#73bf69', orange: '#ff780a', red: '#f2495c' }[reached];
}

function plot(panel: Panel, data: PanelData, { width, height }: Box): string {
  const lines = panel.kind === 'stacked' ? stacked(data.lines) : data.lines;
  const legends = data.lines.slice(0, MAX_LEGENDS);
  const bottom = height - 22 - legends.length * LEGEND_HEIGHT;
  const [low, high] = range(panel, lines);
  const toX = (time: number): number =>
    AXIS_WIDTH + ((time - data.from) / (data.to - data.from)) * (width - AXIS_WIDTH - 12);
  const toY = (value: number): number =>
    bottom - ((value - low) / (high - low)) * (bottom - TITLE_HEIGHT - 8);
  const grid = [0, 0.5, 1].map((share) => {
    const value = low + share * (high - low);
    const at = toY(value).toFixed(1);
    return (
      `<line x1="${AXIS_WIDTH}" x2="${width - 12}" y1="${at}" y2="${at}" stroke="#2c3235"/>` +
      `<text x="${AXIS_WIDTH - 6}" y="${Number(at) + 3}" text-anchor="end" fill="#8e8e9a" font-size="10">` +
      `${formatValue(value, panel.unit)}</text>`
    );
  });
  const times = [0, 0.5, 1].map((share) => {
    const seconds = share * (data.to - data.from);
    const at = toX(data.from + seconds);
    return centered(`${Math.round(seconds)} s`, at, bottom + 14, 10, '#8e8e9a');
  });
  const drawn = lines.map(({ points }, index) => {
    const path = points.map(([time, value]) => `${toX(time).toFixed(1)},${toY(value).toFixed(1)}`);
    const color = COLORS[index % COLORS.length];
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
  });
  const names = legends.map(({ legend }, index) => {
    const at = bottom + 28 + index * LEGEND_HEIGHT;
    return (
      `<rect x="${AXIS_WIDTH}" y="${at - 7}" width="12" height="3" fill="${COLORS[index % COLORS.length]}"/>` +
      `<text x="${AXIS_WIDTH + 18}" y="${at - 2}" fill="#ccccdc" font-size="10">${escaped(legend)}</text>`
    );
  });
  return [...grid, ...times, ...drawn, ...names].join('\n');
}

/** Each line on top of those before it, at the times of the first. */
function stacked(lines: readonly Line[]): Line[] {
  const sums = new Map<number, number>();
  return lines.map(({ legend, points }) => ({
    legend,
    points: points.map(([time, value]) => {
      const sum = (sums.get(time) ?? 0) + value;
      sums.set(time, sum);
      return [time, sum] as const;
    }),
  }));
}

function range({ unit, max }: Panel, lines: readonly Line[]): [number, number] {
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const low = unit === 'none' ? Math.min(0, ...values) : 0;
  const high = max ?? Math.max(...values, low);
  return [low, high > low ? high : low + 1];
}

function centered(text: string, x: number, y: number, size: number, color: string): string {
  return (
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="middle" fill="${color}" ` +
    `font-size="${size}">${escaped(text)}</text>`
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
