import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ChartProps } from './chart.js';
import type { Range } from './chart-data.js';
import { ChartTools, DEFAULT_SETTINGS, secondsText, type ChartSettings } from './chart-tools.js';
import { plainNumber } from './plot-options.js';

export interface ChartView {
  readonly settings: ChartSettings;
  /** What is shown of the x axis; null: all of it. */
  readonly range: Range | null;
  readonly tools: JSX.Element;
  /** Of every chart of the page. */
  readonly shared: Required<Pick<ChartProps, 'onRange' | 'isLogX' | 'formatX' | 'group'>> & {
    readonly range: Range | null;
  };
}

/** How the charts of a page are shown, and the tools that change it. */
export function useChartView(group: string): ChartView {
  const [settings, setSettings] = useState(DEFAULT_SETTINGS);
  const [range, setRange] = useState<Range | null>(null);
  const { xAxis, isLogX } = settings;
  const tools = (
    <ChartTools
      settings={settings}
      onChange={(next) => {
        // A range of steps means nothing in seconds.
        if (next.xAxis !== xAxis) setRange(null);
        setSettings(next);
      }}
      isZoomed={range !== null}
      onReset={() => {
        setRange(null);
      }}
    />
  );
  const formatX = xAxis === 'time' ? secondsText : plainNumber;
  return {
    settings,
    range,
    tools,
    shared: { range, onRange: setRange, isLogX, formatX, group },
  };
}
