import type { EvaluationResult, LayerHistory } from '@skipring/protocol';
import { percent } from '../output/format.js';
import { escaped, line, panelSvg, text, type Line, type Panel } from './chart.js';

/** What one network of the experiment did. */
export interface NetworkRun {
  readonly depth: number;
  readonly isResidual: boolean;
  readonly jobId: string;
  /** Share of training samples that were classified wrongly in each epoch, from the first. */
  readonly trainError: readonly number[];
  readonly evaluations: readonly Pick<EvaluationResult, 'epoch' | 'accuracy'>[];
  readonly layers: LayerHistory;
}

const COLOURS = ['#0b7285', '#e8590c', '#5f3dc4', '#2b8a3e', '#c2255c'];
const WIDTH = 960;
const HEIGHT = 770;
const PANEL = { width: 360, height: 220 };
const LEFT = [86, 560] as const;
const TOP = [140, 470] as const;
const FONT = 'Inter, system-ui, "Segoe UI", "DejaVu Sans", sans-serif';

export function nameOf({ depth, isResidual }: Pick<NetworkRun, 'depth' | 'isResidual'>): string {
  return `${isResidual ? 'ResNet' : 'plain'}-${depth}`;
}

/** Error by epoch above, gradient norm by layer below; plain networks left, residual ones right. */
export function residualSvg(runs: readonly NetworkRun[], dataSet: string): string {
  const depths = [...new Set(runs.map(({ depth }) => depth))].sort((a, b) => a - b);
  const colourOf = (depth: number): string =>
    COLOURS[depths.indexOf(depth) % COLOURS.length] ?? '#000';
  const numEpochs = Math.max(...runs.map(({ trainError }) => trainError.length));
  const worst = Math.max(...runs.flatMap((run) => [...run.trainError, ...testErrors(run)]));
  const norms = runs.flatMap((run) => gradientNorms(run));
  const limits = [Math.min(...norms) / 1.5, Math.max(...norms) * 1.5] as const;
  const panels = [false, true].flatMap((isResidual, column) => {
    const own = runs.filter((run) => run.isResidual === isResidual);
    const kind = isResidual ? 'Residual' : 'Plain';
    const errors: Panel = {
      title: `${kind} networks: error`,
      xLabel: 'epoch',
      yLabel: 'error (%)',
      x: [1, Math.max(2, numEpochs)],
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
    text(40, 44, 'Plain and residual networks: error by epoch, gradient by layer', {
      size: 20,
      weight: 700,
    }),
    text(
      40,
      68,
      `Data set ${dataSet}; thick: test error, thin: training error; median gradient norm over all looks`,
      {
        size: 13,
        colour: '#52606d',
      },
    ),
    ...depths.map((depth, index) => legend(40 + index * 110, 92, depth, colourOf(depth))),
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

/** A page with the picture and a table of how the networks ended. */
export function residualHtml(runs: readonly NetworkRun[], dataSet: string): string {
  const rows = runs.map((run) => {
    const test = testErrors(run).at(-1);
    const cells = [
      nameOf(run),
      percent(run.trainError.at(-1) ?? 1),
      test === undefined ? '-' : percent(test),
      run.jobId,
    ];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Plain and residual networks</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 1000px; margin: 2rem auto; }
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

function legend(x: number, y: number, depth: number, colour: string): string {
  const stroke = line(x, y - 4, x + 22, y - 4, colour).replace('/>', ' stroke-width="3"/>');
  return stroke + text(x + 30, y, `${depth} layers`, { size: 13 });
}

function errorLines(run: NetworkRun, colour: string): Line[] {
  return [
    {
      colour,
      isThin: true,
      points: run.trainError.map((error, index) => [index + 1, 100 * error] as const),
    },
    {
      colour,
      points: run.evaluations.map(
        ({ epoch, accuracy }) => [epoch + 1, 100 * (1 - accuracy)] as const,
      ),
    },
  ];
}

function testErrors({ evaluations }: NetworkRun): number[] {
  return evaluations.map(({ accuracy }) => 1 - accuracy);
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
