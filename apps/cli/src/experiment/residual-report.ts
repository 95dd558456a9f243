import type { EvaluationResult, LayerHistory } from '@skipring/protocol';
import { percent } from '../output/format.js';
import { escaped, line, panelSvg, text, type Line, type Panel } from './chart.js';

/** Share of samples that were classified wrongly in the steps up to this one. */
export interface ErrorPoint {
  readonly step: number;
  readonly error: number;
}

/** What one network of the experiment did. */
export interface NetworkRun {
  readonly depth: number;
  readonly isResidual: boolean;
  readonly jobId: string;
  /** On training samples, window by window. */
  readonly trainError: readonly ErrorPoint[];
  readonly evaluations: readonly Pick<EvaluationResult, 'step' | 'accuracy'>[];
  readonly layers: LayerHistory;
}

const COLOURS = ['#0b7285', '#e8590c', '#5f3dc4', '#2b8a3e', '#c2255c'];
const WIDTH = 1_000;
const HEIGHT = 790;
const PANEL = { width: 350, height: 230 };
const LEFT = [90, 576] as const;
const TOP = [150, 490] as const;
/** The first is what the PNG is drawn with. */
const FONT = '"DejaVu Sans", Inter, system-ui, "Segoe UI", sans-serif';

export function nameOf({ depth, isResidual }: Pick<NetworkRun, 'depth' | 'isResidual'>): string {
  return `${isResidual ? 'ResNet' : 'plain'}-${depth}`;
}

/** Error by step above, gradient norm by layer below; plain networks left, residual ones right. */
export function residualSvg(runs: readonly NetworkRun[], dataSet: string): string {
  const depths = [...new Set(runs.map(({ depth }) => depth))].sort((a, b) => a - b);
  const colourOf = (depth: number): string =>
    COLOURS[depths.indexOf(depth) % COLOURS.length] ?? '#000';
  const numSteps = Math.max(...runs.flatMap(({ trainError }) => trainError.map((p) => p.step)));
  const worst = Math.max(
    ...runs.flatMap((run) => [...run.trainError, ...testErrors(run)].map((p) => p.error)),
  );
  const norms = runs.flatMap((run) => gradientNorms(run));
  const limits = [Math.min(...norms) / 1.5, Math.max(...norms) * 1.5] as const;
  const panels = [false, true].flatMap((isResidual, column) => {
    const own = runs.filter((run) => run.isResidual === isResidual);
    const kind = isResidual ? 'Residual' : 'Plain';
    const errors: Panel = {
      title: `${kind} networks: error`,
      xLabel: 'step',
      yLabel: 'error (%)',
      x: [0, numSteps],
      y: [0, Math.ceil(worst * 10) * 10],
      lines: own.flatMap((run) => errorLines(run, colourOf(run.depth))),
    };
    const gradients: Panel = {
      title: `${kind} networks: gradient norm by layer`,
      xLabel: 'convolution, from input to output',
      yLabel: 'gradient norm',
      isLogY: true,
      x: [1, Math.max(...runs.map((run) => gradientNorms(run).length))],
      y: limits,
      lines: own.map((run) => ({
        colour: colourOf(run.depth),
        points: gradientNorms(run).map((norm, index) => [index + 1, norm] as const),
      })),
    };
    const left = LEFT[column === 0 ? 0 : 1];
    return [
      panelSvg(errors, { ...PANEL, left, top: TOP[0] }),
      panelSvg(gradients, { ...PANEL, left, top: TOP[1] }),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family='${FONT}'>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(40, 44, 'What shortcuts are for: plain and residual networks', { size: 21, weight: 700 }),
    text(
      40,
      70,
      `Data set ${dataSet}. Thick, with its last value: test error; thin: training error. Gradient norms: median over all looks.`,
      { size: 13, colour: '#52606d' },
    ),
    ...depths.map((depth, index) => legend(40 + index * 120, 98, depth, colourOf(depth))),
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

/** A page with the picture and a table of how the networks ended. */
export function residualHtml(runs: readonly NetworkRun[], dataSet: string): string {
  const rows = runs.map((run) => {
    const { train, test } = lastErrors(run);
    const cells = [nameOf(run), train, test, run.jobId];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Plain and residual networks</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 1040px; margin: 2rem auto; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: 1rem 40px; }
td, th { padding: 0.3rem 1.4rem 0.3rem 0; text-align: left; border-bottom: 1px solid #e4e7eb; }
</style>
${residualSvg(runs, dataSet)}
<table>
<tr><th>network</th><th>training error</th><th>test error</th><th>job</th></tr>
${rows.join('\n')}
</table>
</html>
`;
}

/** How a network ended, in words: a dash for what was not measured. */
export function lastErrors(run: NetworkRun): { readonly train: string; readonly test: string } {
  const words = (point: ErrorPoint | undefined): string =>
    point === undefined ? '-' : percent(point.error);
  return { train: words(run.trainError.at(-1)), test: words(testErrors(run).at(-1)) };
}

function legend(x: number, y: number, depth: number, colour: string): string {
  return (
    line(x, y - 4, x + 24, y - 4, colour, 3) + text(x + 32, y, `${depth} layers`, { size: 14 })
  );
}

function errorLines(run: NetworkRun, colour: string): Line[] {
  const places = (points: readonly ErrorPoint[]): Line['points'] =>
    points.map(({ step, error }) => [step, 100 * error] as const);
  const last = testErrors(run).at(-1);
  return [
    { colour, isThin: true, points: places(run.trainError) },
    {
      colour,
      points: places(testErrors(run)),
      ...(last === undefined ? {} : { label: `${(100 * last.error).toFixed(1)} %` }),
    },
  ];
}

function testErrors({ evaluations }: NetworkRun): ErrorPoint[] {
  return evaluations.map(({ step, accuracy }) => ({ step, error: 1 - accuracy }));
}

/** Median over all entries, of each convolution. */
export function gradientNorms({ layers: { layers, items } }: Pick<NetworkRun, 'layers'>): number[] {
  return layers.flatMap(({ kind }, index) => {
    if (kind !== 'convolution') return [];
    const norms = items
      .flatMap(({ gradientNorm }) => gradientNorm[index] ?? [])
      .filter((norm) => norm > 0)
      .sort((a, b) => a - b);
    return norms.length === 0 ? [] : [norms[Math.floor(norms.length / 2)] ?? 0];
  });
}
