import type { JSX } from 'preact';
import type { XAxis } from '../jobs/step-curves.js';

export interface ChartSettings {
  readonly xAxis: XAxis;
  readonly smoothing: number;
  readonly isLogX: boolean;
  readonly isLogY: boolean;
}

export const DEFAULT_SETTINGS: ChartSettings = {
  xAxis: 'step',
  smoothing: 0.6,
  isLogX: false,
  isLogY: false,
};

/** How curves are shown, for all charts of a page. */
export function ChartTools({
  settings,
  onChange,
  isZoomed,
  onReset,
}: {
  readonly settings: ChartSettings;
  readonly onChange: (settings: ChartSettings) => void;
  readonly isZoomed: boolean;
  readonly onReset: () => void;
}): JSX.Element {
  const change = (fields: Partial<ChartSettings>): void => {
    onChange({ ...settings, ...fields });
  };
  return (
    <div class="tools chart-tools">
      <label>
        Over{' '}
        <select
          value={settings.xAxis}
          onChange={(event) => {
            change({ xAxis: event.currentTarget.value as XAxis });
          }}
        >
          <option value="step">steps</option>
          <option value="time">wall time</option>
        </select>
      </label>
      <label>
        Smoothing{' '}
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={settings.smoothing}
          onInput={(event) => {
            change({ smoothing: Number(event.currentTarget.value) });
          }}
        />
        <output class="number">{settings.smoothing.toFixed(2)}</output>
      </label>
      <label>
        <input
          type="checkbox"
          checked={settings.isLogX}
          onChange={(event) => {
            change({ isLogX: event.currentTarget.checked });
          }}
        />{' '}
        log x
      </label>
      <label>
        <input
          type="checkbox"
          checked={settings.isLogY}
          onChange={(event) => {
            change({ isLogY: event.currentTarget.checked });
          }}
        />{' '}
        log y
      </label>
      {isZoomed && (
        <button type="button" onClick={onReset}>
          Show all
        </button>
      )}
    </div>
  );
}

/** Seconds as an axis shows them. */
export function secondsText(value: number): string {
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7_200) return `${Math.round(value / 60)} min`;
  return `${(value / 3_600).toPrecision(2)} h`;
}
