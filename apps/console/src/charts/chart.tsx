import type { JSX } from 'preact';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { significant } from '../format.js';
import { THEME_EVENT } from '../theme.js';
import { joinCurves, panned, zoomed, type Curve, type Mark, type Range } from './chart-data.js';
import { currentPalette, lineColor } from './palette.js';
import { plainNumber, plotOptions, positiveOnly } from './plot-options.js';

const HEIGHT = 220;
const PAN_SHARE = 0.2;
const ZOOM_FACTOR = 0.6;

export interface ChartProps {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly marks?: readonly Mark[];
  /** What is shown of the x axis; null: all of it. */
  readonly range?: Range | null;
  readonly onRange?: (range: Range | null) => void;
  readonly isLogX?: boolean;
  readonly isLogY?: boolean;
  readonly formatX?: (value: number) => string;
  readonly formatY?: (value: number) => string;
  /** Of the y axis. */
  readonly formatTick?: (value: number) => string;
  /** Charts of one group share their cursor. */
  readonly group?: string;
}

/**
 * Curves over a common axis. Drag to zoom, drag with Shift to move, double click for all; with the
 * keyboard the arrows move, + and - zoom, and 0 shows all.
 */
export function Chart({
  title,
  curves,
  marks = [],
  range = null,
  onRange = () => undefined,
  isLogX = false,
  isLogY = false,
  formatX = plainNumber,
  formatY = significant,
  formatTick = plainNumber,
  group = 'chart',
}: ChartProps): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const titleId = useId();
  const [theme, setTheme] = useState(0);
  const [cursor, setCursor] = useState<number | null>(null);
  const isPositive = isLogX || isLogY;
  const data = useMemo(() => {
    const [x, ...columns] = joinCurves(curves);
    const shown = isLogY ? columns.map(positiveOnly) : columns;
    return (isLogX ? cutToPositive(x, shown) : [x, ...shown]) as uPlot.AlignedData;
  }, [curves, isLogX, isLogY]);
  const bounds = boundsOf(data[0]);
  const live = useRef({ marks, range, bounds, onRange });
  live.current = { marks, range, bounds, onRange };
  // A chart is made anew only when what it is made of changes, not when data come in.
  const shape = JSON.stringify([
    curves.map(({ name, color, isSparse, isFaint }) => [name, color, isSparse, isFaint]),
    isLogX,
    isLogY,
    theme,
  ]);

  useLayoutEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = new uPlot(
      plotOptions({
        width: element.clientWidth,
        height: HEIGHT,
        curves,
        palette: currentPalette(),
        isLogX,
        isLogY,
        formatX,
        formatTick,
        group,
        marks: () => live.current.marks,
        onZoom: (zoom) => {
          live.current.onRange(zoom);
        },
        onCursor: setCursor,
      }),
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    const stopPanning = panByDragging(made, () => live.current);
    return () => {
      stopPanning();
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, group]);

  useLayoutEffect(() => {
    const made = plot.current;
    if (made === null) return;
    made.batch(() => {
      made.setData(data, false);
      const { range: given, bounds: all } = live.current;
      const shown = given ?? all;
      if (shown !== null) made.setScale('x', { min: shown.min, max: shown.max });
    });
  }, [data, shape]);

  useLayoutEffect(() => {
    const shown = live.current.range ?? live.current.bounds;
    if (shown !== null) plot.current?.setScale('x', { min: shown.min, max: shown.max });
  }, [range?.min, range?.max]);

  useLayoutEffect(() => {
    plot.current?.redraw(false);
  }, [marks]);

  useEffect(() => {
    const update = (): void => {
      setTheme((before) => before + 1);
    };
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', update);
    window.addEventListener(THEME_EVENT, update);
    return () => {
      system.removeEventListener('change', update);
      window.removeEventListener(THEME_EVENT, update);
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    const next = rangeByKey(event.key, range ?? bounds, bounds);
    if (next === undefined) return;
    event.preventDefault();
    onRange(next);
  };
  return (
    <figure class="chart" aria-labelledby={titleId}>
      <figcaption id={titleId}>{title}</figcaption>
      <Legend curves={curves} data={data} cursor={cursor} formatX={formatX} formatY={formatY} />
      <div
        ref={holder}
        class="plot"
        data-points={data[0].length}
        role="group"
        aria-roledescription="chart"
        aria-label={`${title}${isPositive ? ', logarithmic' : ''}: ${summary(curves, formatY)}`}
        // A chart is moved and zoomed with keys as with the mouse.
        tabIndex={0}
        onKeyDown={onKeyDown}
        onDblClick={() => {
          onRange(null);
        }}
      />
      {curves.every(({ x }) => x.length === 0) && <p class="chart-empty">No data yet</p>}
    </figure>
  );
}

function Legend({
  curves,
  data,
  cursor,
  formatX,
  formatY,
}: {
  readonly curves: readonly Curve[];
  readonly data: uPlot.AlignedData;
  readonly cursor: number | null;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
}): JSX.Element {
  const at = cursor === null ? undefined : data[0][cursor];
  return (
    <ul class="legend">
      {curves.map(({ name, color, isFaint, y }, index) => {
        if (isFaint === true) return null;
        const value =
          cursor === null ? y.findLast((each) => each !== null) : data[index + 1]?.[cursor];
        return (
          <li key={`${name} ${index}`}>
            <span class="swatch" style={{ background: lineColor(color) }} />
            <span class="legend-name">{name}</span>
            <span class="number">
              {value === null || value === undefined ? '–' : formatY(value)}
            </span>
          </li>
        );
      })}
      <li class="number legend-at">{at === undefined ? '' : formatX(at)}</li>
    </ul>
  );
}

function summary(curves: readonly Curve[], formatY: (value: number) => string): string {
  const parts = curves
    .filter(({ isFaint }) => isFaint !== true)
    .map(({ name, y }) => {
      const last = y.findLast((value) => value !== null);
      return `${name} ${last === null || last === undefined ? 'has no data' : `now ${formatY(last)}`}`;
    });
  return parts.join(', ');
}

function boundsOf(x: ArrayLike<number>): Range | null {
  if (x.length === 0) return null;
  const min = x[0] ?? 0;
  const max = x[x.length - 1] ?? 0;
  return min === max ? { min: min - 1, max: max + 1 } : { min, max };
}

function cutToPositive(
  x: readonly number[],
  columns: readonly (readonly (number | null | undefined)[])[],
): unknown[] {
  const first = x.findIndex((value) => value > 0);
  const from = first < 0 ? x.length : first;
  return [x.slice(from), ...columns.map((column) => column.slice(from))];
}

/** The range after a key was pressed; undefined when the key means nothing. */
function rangeByKey(
  key: string,
  range: Range | null,
  bounds: Range | null,
): Range | null | undefined {
  if (key === '0' || key === 'Home') return null;
  if (range === null || bounds === null) return undefined;
  const middle = (range.min + range.max) / 2;
  if (key === 'ArrowLeft') return panned(range, bounds, -PAN_SHARE);
  if (key === 'ArrowRight') return panned(range, bounds, PAN_SHARE);
  if (key === '+' || key === '=') return zoomed(range, bounds, ZOOM_FACTOR, middle);
  if (key === '-') return zoomed(range, bounds, 1 / ZOOM_FACTOR, middle);
  return undefined;
}

/** Moves the range while the mouse is dragged with Shift. Returns how to end that. */
function panByDragging(
  plot: uPlot,
  live: () => { range: Range | null; bounds: Range | null; onRange: (range: Range) => void },
): () => void {
  const { over } = plot;
  const onDown = (event: PointerEvent): void => {
    const { range, bounds } = live();
    const start = range ?? bounds;
    if (!event.shiftKey || event.button !== 0 || start === null || bounds === null) return;
    event.preventDefault();
    event.stopPropagation();
    over.setPointerCapture(event.pointerId);
    const onMove = (move: PointerEvent): void => {
      const share = (event.clientX - move.clientX) / over.clientWidth;
      live().onRange(panned(start, bounds, share));
    };
    const onUp = (): void => {
      over.removeEventListener('pointermove', onMove);
    };
    over.addEventListener('pointermove', onMove);
    over.addEventListener('pointerup', onUp, { once: true });
    over.addEventListener('pointercancel', onUp, { once: true });
  };
  const noSelection = (event: MouseEvent): void => {
    if (event.shiftKey) event.stopImmediatePropagation();
  };
  over.addEventListener('pointerdown', onDown, true);
  over.addEventListener('mousedown', noSelection, true);
  return () => {
    over.removeEventListener('pointerdown', onDown, true);
    over.removeEventListener('mousedown', noSelection, true);
  };
}
