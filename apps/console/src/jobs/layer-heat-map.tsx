import type { LayerHistory, LayerStatistics } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { heatColor, heatScale, heatShare, type HeatScale } from '../charts/heat-colors.js';
import { useApi } from '../client-context.js';
import { integer, significant } from '../format.js';
import { Loaded } from '../ui/states.js';

const NUM_POINTS = 400;
const REFRESH_MS = 5_000;
/** Of a layer, in pixels. */
const LEAST_ROW = 3;
const LEAST_HEIGHT = 160;

type Statistic = Exclude<keyof LayerStatistics, 'step' | 'epoch'>;
const STATISTICS: Readonly<Record<Statistic, string>> = {
  gradientNorm: 'gradient norm',
  weightNorm: 'weight norm',
  activationMean: 'activation mean',
  activationVariance: 'activation variance',
};

/** What steps found at each layer, as colours: layers from the input down, steps to the right. */
export function LayerSection({
  jobId,
  isLive,
}: {
  readonly jobId: string;
  readonly isLive: boolean;
}): JSX.Element {
  const layers = useApi(
    `layers ${jobId}`,
    (client) => client.layers(jobId, { points: NUM_POINTS }),
    { everyMs: isLive ? REFRESH_MS : undefined },
  );
  return (
    <section class="card" aria-labelledby="layers">
      <h2 id="layers">By layer and step</h2>
      <Loaded of={layers} what="the layers">
        {(history) =>
          history.items.length === 0 ? (
            <p class="note">
              None told of yet. A job that has <code>{'statistics: { everySteps: 20 }'}</code> in
              its spec tells of gradients, weights and activations at each layer.
            </p>
          ) : (
            <HeatMap history={history} />
          )
        }
      </Loaded>
    </section>
  );
}

function HeatMap({ history: { layers, items } }: { readonly history: LayerHistory }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [statistic, setStatistic] = useState<Statistic>('gradientNorm');
  const [pointed, setPointed] = useState<{ readonly layer: number; readonly item: number } | null>(
    null,
  );
  const scale = useMemo(
    () => heatScale(items.flatMap((item) => item[statistic])),
    [items, statistic],
  );
  useLayoutEffect(() => {
    if (canvas.current !== null) draw(canvas.current, items, layers.length, statistic, scale);
  }, [items, layers, statistic, scale]);

  const point = (event: MouseEvent): void => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return;
    const item = Math.floor(((event.clientX - box.left) / box.width) * items.length);
    const layer = Math.floor(((event.clientY - box.top) / box.height) * layers.length);
    setPointed(items[item] !== undefined && layers[layer] !== undefined ? { item, layer } : null);
  };
  const last = items.at(-1);
  const shown = pointed === null ? undefined : items[pointed.item];
  return (
    <>
      <div class="tools">
        <label>
          Of{' '}
          <select
            value={statistic}
            onChange={(event) => {
              setStatistic(event.currentTarget.value as Statistic);
            }}
          >
            {Object.entries(STATISTICS).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <HeatLegend scale={scale} />
        <span class="number note">
          {pointed !== null && shown !== undefined
            ? `${layers[pointed.layer]?.name ?? ''}, step ${integer(shown.step)}: ${valueText(shown[statistic][pointed.layer])}`
            : ''}
        </span>
      </div>
      <canvas
        ref={canvas}
        class="heat"
        role="img"
        aria-label={`${STATISTICS[statistic]} of ${layers.length} layers over steps ${items[0]?.step ?? 0} to ${last?.step ?? 0}, from ${significant(scale.least)} to ${significant(scale.greatest)}; the table below has the last of them`}
        style={{ height: `${Math.max(LEAST_HEIGHT, LEAST_ROW * layers.length)}px` }}
        onMouseMove={point}
        onMouseLeave={() => {
          setPointed(null);
        }}
      />
      <p class="heat-axis note number">
        <span>step {integer(items[0]?.step ?? 0)}</span>
        <span>step {integer(last?.step ?? 0)}</span>
      </p>
      <details>
        <summary>Values at step {integer(last?.step ?? 0)}</summary>
        <table class="bars">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col" class="number">
                Parameters
              </th>
              <th scope="col" class="number">
                {STATISTICS[statistic]}
              </th>
            </tr>
          </thead>
          <tbody>
            {layers.map(({ name, numParameters }, index) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{integer(numParameters)}</td>
                <td class="number">{valueText(last?.[statistic][index])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

function HeatLegend({ scale }: { readonly scale: HeatScale }): JSX.Element {
  return (
    <span class="heat-legend number">
      {significant(scale.least)}
      <span class="heat-bar" aria-hidden="true" />
      {significant(scale.greatest)}
      {scale.isLog && <span class="note"> log</span>}
    </span>
  );
}

/** One pixel for each value; the browser makes them larger. What is not finite stays transparent. */
function draw(
  canvas: HTMLCanvasElement,
  items: readonly LayerStatistics[],
  numLayers: number,
  statistic: Statistic,
  scale: HeatScale,
): void {
  canvas.width = items.length;
  canvas.height = numLayers;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(items.length, numLayers);
  items.forEach((item, column) => {
    item[statistic].forEach((value, row) => {
      if (value === null) return;
      const pixel = (row * items.length + column) * 4;
      image.data.set([...heatColor(heatShare(scale, value)), 255], pixel);
    });
  });
  context.putImageData(image, 0, 0);
}

function valueText(value: number | null | undefined): string {
  return value === null || value === undefined ? 'not finite' : significant(value);
}
