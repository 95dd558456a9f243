import { describe, expect, it } from 'vitest';
import { ticks } from './chart.js';
import { errorByEpoch, specOf } from './network-run.js';
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
    trainError: [0.8, 0.4],
    evaluations: [
      { epoch: 0, accuracy: 0.3 },
      { epoch: 1, accuracy: 0.7 },
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

  it('weighs the error of an epoch by samples', () => {
    const steps = [
      { epoch: 0, accuracy: 0.5, samples: 30 },
      { epoch: 0, accuracy: 1, samples: 10 },
      { epoch: 1, accuracy: 0.9, samples: 40 },
    ];
    expect(errorByEpoch(steps).map((error) => error.toFixed(3))).toEqual(['0.375', '0.100']);
  });

  it('draws two lines of errors and one of gradients for each network', () => {
    const runs = [run(20, false), run(20, true), run(56, false), run(56, true)];
    const svg = residualSvg(runs, 'a<b');
    expect(svg.match(/<polyline/g)).toHaveLength(12);
    expect(svg).toContain('a&lt;b');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(residualHtml(runs, 'x')).toContain('<td>plain-56</td><td>40.00 %</td><td>30.00 %</td>');
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
  });
});
