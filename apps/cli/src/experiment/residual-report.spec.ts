import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { logTicks, ticks } from './chart.js';
import { errorCurve, specOf } from './network-run.js';
import { pngOf } from './picture.js';
import { gradientNorms, residualHtml, residualSvg, type NetworkRun } from './residual-report.js';

const layers = [
  { name: 'stem/conv', kind: 'convolution', numParameters: 9 },
  { name: 'stem/norm', kind: 'normalization', numParameters: 2 },
  { name: 'stage1/block0/conv1', kind: 'convolution', numParameters: 9 },
] as const;
const look = (step: number, ...gradientNorm: (number | null)[]) => ({
  step,
  epoch: 0,
  gradientNorm,
  weightNorm: [1, 1, 1],
  activationMean: [0, 0, 0],
  activationVariance: [1, 1, 1],
});

function run(depth: number, isResidual: boolean): NetworkRun {
  return {
    depth,
    isResidual,
    jobId: 'job-1',
    trainError: [
      { step: 5, error: 0.8 },
      { step: 10, error: 0.4 },
    ],
    evaluations: [
      { step: 5, accuracy: 0.3 },
      { step: 10, accuracy: 0.7 },
    ],
    layers: {
      layers: [...layers],
      items: [look(1, 4, 9, 0.1), look(2, 1, 9, null), look(3, 2, 9, 0.3)],
    },
  };
}

describe('the report of the residual experiment', () => {
  it('has the median gradient norm of each convolution', () => {
    expect(gradientNorms(run(20, true))).toEqual([2, 0.3]);
  });

  it('weighs the error of a window by samples', () => {
    const steps = Array.from({ length: 120 }, (_, index) => ({
      step: index + 1,
      accuracy: index % 2 === 0 ? 0.5 : 1,
      samples: index % 2 === 0 ? 30 : 10,
    }));
    const curve = errorCurve(steps);
    expect(curve).toHaveLength(60);
    expect(curve[0]).toEqual({ step: 2, error: 0.375 });
    expect(curve.at(-1)).toEqual({ step: 120, error: 0.375 });
  });

  it('has a point for each step of a short run', () => {
    const steps = [1, 2, 3].map((step) => ({ step, accuracy: 0.25, samples: 8 }));
    expect(errorCurve(steps).map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(errorCurve([])).toEqual([]);
  });

  it('draws two lines of errors and one of gradients for each network', () => {
    const runs = [run(20, false), run(20, true), run(56, false), run(56, true)];
    const svg = residualSvg(runs, 'a<b');
    expect(svg.match(/<polyline/g)).toHaveLength(12);
    expect(svg).toContain('a&lt;b');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    // Both pairs end at the same error: their labels stand one below the other.
    const labels = [...svg.matchAll(/y="([\d.]+)"[^>]*>30\.0 %</g)].map(([, y]) => Number(y));
    expect(labels).toHaveLength(4);
    expect(labels[1]! - labels[0]!).toBe(16);
    expect(residualHtml(runs, 'x')).toContain('<td>plain-56</td><td>40.00 %</td><td>30.00 %</td>');
  });

  it('is a PNG of twice the size, with text', async () => {
    const draw = async (words: string) => {
      const svg = residualSvg([run(20, false), run(20, true)], words);
      return PNG.sync.read(await pngOf(svg));
    };
    const [first, again, other] = [await draw('ab'), await draw('ab'), await draw('cd')];
    expect([first.width, first.height]).toEqual([2000, 1580]);
    expect(first.data.equals(again.data)).toBe(true);
    // Letters are drawn, whatever fonts the machine has.
    expect(first.data.equals(other.data)).toBe(false);
  });

  it('trains plain twins by the same spec', () => {
    const plan = { depth: 20, epochs: 2, dataSet: 'd', numTrain: 1_000 } as const;
    const plain = specOf({ ...plan, isResidual: false });
    const residual = specOf({ ...plan, isResidual: true });
    expect(plain.model).toEqual({ family: 'resnet-cifar', depth: 20, shortcuts: false });
    expect({ ...plain, name: '', model: residual.model }).toEqual({ ...residual, name: '' });
    expect(residual.statistics?.everySteps).toBe(1);
  });

  it('has round ticks', () => {
    expect(ticks([0, 90], 5)).toEqual([0, 20, 40, 60, 80]);
    expect(ticks([1, 3], 6)).toContain(2);
    expect(logTicks([0.08, 1])).toEqual([0.1, 0.2, 0.5, 1]);
    expect(logTicks([1e-5, 20])).toEqual([1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10]);
  });
});
