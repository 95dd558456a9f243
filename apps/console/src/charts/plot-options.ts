import type uPlot from 'uplot';
import type { Curve, Mark, Range } from './chart-data.js';
import { drawMarks } from './draw-marks.js';
import type { Palette } from './palette.js';

const LOG = 3;
const LINEAR = 1;
const Y_AXIS_WIDTH = 52;
const X_AXIS_HEIGHT = 28;
/** Top, right, bottom, left. */
const PADDING: uPlot.Padding = [10, 10, 0, 0];

export interface PlotLook {
  readonly width: number;
  readonly height: number;
  readonly curves: readonly Curve[];
  readonly palette: Palette;
  readonly isLogX: boolean;
  readonly isLogY: boolean;
  readonly formatX: (value: number) => string;
  /** Of the y axis. */
  readonly formatTick: (value: number) => string;
  /** Charts of one group share their cursor. */
  readonly group: string;
  /** Read at each drawing. */
  readonly marks: () => readonly Mark[];
  readonly onZoom: (range: Range) => void;
  /** The index of the point under the cursor; null: it is elsewhere. */
  readonly onCursor: (index: number | null) => void;
}

/** What uPlot is told of a chart. */
export function plotOptions(look: PlotLook): uPlot.Options {
  const { palette, curves, isLogX, isLogY } = look;
  const axis: uPlot.Axis = {
    stroke: palette.axis,
    font: '11px system-ui, sans-serif',
    grid: { stroke: palette.grid, width: 1 },
    ticks: { stroke: palette.grid, width: 1, size: 4 },
  };
  return {
    width: look.width,
    height: look.height,
    padding: PADDING,
    legend: { show: false },
    cursor: {
      sync: { key: look.group, scales: ['x', null] },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
    },
    scales: {
      x: { time: false, distr: isLogX ? LOG : LINEAR },
      y: { distr: isLogY ? LOG : LINEAR },
    },
    axes: [
      { ...axis, size: X_AXIS_HEIGHT, values: labelsBy(look.formatX) },
      { ...axis, size: Y_AXIS_WIDTH, values: labelsBy(look.formatTick) },
    ],
    series: [{}, ...curves.map((curve) => seriesOf(curve, palette))],
    hooks: {
      draw: [
        (plot) => {
          drawMarks(plot, look.marks(), palette);
        },
      ],
      setCursor: [
        ({ cursor: { idx } }) => {
          look.onCursor(idx ?? null);
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          look.onZoom({ min: plot.posToVal(left, 'x'), max: plot.posToVal(left + width, 'x') });
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** A logarithmic axis leaves out most labels: those are null. */
function labelsBy(format: (value: number) => string): uPlot.Axis.DynamicValues {
  return (_, splits: (number | null)[]) =>
    splits.map((value) => (value === null ? '' : format(value)));
}

function seriesOf(curve: Curve, palette: Palette): uPlot.Series {
  const stroke = palette.lines[curve.color % palette.lines.length] ?? palette.axis;
  return {
    label: curve.name,
    stroke,
    // Where no GPU draws, a line wider than one pixel takes most of the time of a frame.
    width: curve.isSparse === true ? 1.5 : 1,
    alpha: curve.isFaint === true ? 0.25 : 1,
    points: { show: curve.isSparse === true, size: 6, fill: stroke },
    spanGaps: false,
  };
}

/** A logarithmic axis has no place for what is not positive. */
export function positiveOnly(
  column: readonly (number | null | undefined)[],
): (number | null | undefined)[] {
  return column.map((value) => (typeof value === 'number' && value <= 0 ? null : value));
}

/** A number without digits that say nothing. */
export function plainNumber(value: number): string {
  return Number.isInteger(value)
    ? value.toLocaleString('en')
    : String(Number(value.toPrecision(4)));
}

export function wholePercent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
