import { fileURLToPath } from 'node:url';
import { hasPyTorch, NO_PYTORCH } from './lib/python.mjs';
import { Side } from './lib/side.mjs';
import { interleave } from './lib/stats.mjs';
import { markdown, toTable } from './lib/table.mjs';

const inDirectory = (path) => fileURLToPath(new URL(path, import.meta.url));

const CASES = [
  { model: 'ResNet-20', shape: '32x32x3', samples: 128, precision: 'float32', withStock: true },
  { model: 'ResNet-20', shape: '32x32x3', samples: 128, precision: 'bfloat16', withStock: true },
  { model: 'ResNet-20', shape: '32x32x3', samples: 64, precision: 'float32', withStock: true },
  { model: 'ResNet-20', shape: '28x28x1', samples: 128, precision: 'float32', withStock: true },
  { model: 'DenseNet-BC-100-12', shape: '32x32x3', samples: 64, precision: 'float32' },
  { model: 'ResNet-50', shape: '224x224x3', samples: 16, precision: 'float32' },
];

const GPU_CASES = ['float32', 'bfloat16'].map((precision) => ({
  model: 'ResNet-50',
  shape: '224x224x3',
  samples: 256,
  precision,
}));

/** ResNet-50 on an NVIDIA GPU, float32 with TF32 where the GPU has it, as PyTorch then runs too. */
export const gpuStep = (options) => step({ ...options, cases: GPU_CASES, device: 'gpu' });

/**
 * A training step: recorded graph, stock TensorFlow.js (always float32; of the small models), and
 * PyTorch where it is installed; then the first step and the peak memory of each process.
 * @param only part of the names of the cases to measure
 * @param device `cpu` or `gpu`
 */
export async function step({ runs, only = '', cases = CASES, device = 'cpu' }) {
  const withPyTorch = hasPyTorch();
  const rows = [];
  const processes = [];
  for (const { model, shape, samples, precision, withStock } of cases) {
    const name = `${model} ${shape}, batch ${samples}, ${precision}`;
    if (!name.includes(only)) continue;
    const args = [model, shape, samples, precision, device];
    const sides = { recorded: await Side.start(inDirectory('sides/recorded-step.mjs'), ...args) };
    if (withStock) {
      const stock = inDirectory('sides/stock-step.mjs');
      sides.stock = await Side.start(stock, shape, samples, 'default');
      sides['stock + oneDNN'] = await Side.start(stock, shape, samples, 'tuned');
    }
    if (withPyTorch) {
      sides.pytorch = await Side.python(inDirectory('sides/torch_step.py'), ...args);
    }
    try {
      const measures = Object.fromEntries(
        Object.entries(sides).map(([side, process]) => [side, () => process.measure()]),
      );
      rows.push({ case: name, times: await interleave(measures, { warmups: 3, runs }) });
      processes.push({ case: name, sides: await tell(sides) });
    } finally {
      for (const side of Object.values(sides)) await side.stop();
    }
  }
  const notes = withPyTorch ? [] : [NO_PYTORCH];
  return { title: 'Training step, ms', subject: 'recorded', notes, rows, processes };
}

/** Time to the end of the first step, and peak resident memory, of the sides that tell them. */
async function tell(sides) {
  const told = {};
  for (const [name, side] of Object.entries(sides)) {
    const { firstStepMs } = side.about;
    if (firstStepMs === undefined) continue;
    told[name] = { firstStepMs, peakBytes: await side.measure({ what: 'memory' }) };
  }
  return told;
}

/** The table of steps, and one of the processes: a single reading each, as a start is. */
export function stepTable(result) {
  if (result.rows.length === 0) return 'no case has the text of --only in its name';
  const lines = result.processes.map(({ case: name, sides: { recorded, pytorch } }) => [
    name,
    ...[recorded, pytorch].map((side) =>
      side === undefined ? '-' : (side.firstStepMs / 1e3).toFixed(1),
    ),
    ...[recorded, pytorch].map((side) =>
      side === undefined ? '-' : (side.peakBytes / 1e6).toFixed(0),
    ),
    pytorch === undefined ? '-' : `${(recorded.peakBytes / pytorch.peakBytes).toFixed(2)}x`,
  ]);
  const header = [
    'Process',
    'first step after, s: recorded',
    'pytorch',
    'peak memory, MB: recorded',
    'pytorch',
    'recorded / pytorch',
  ];
  return `${toTable(result)}\n${markdown(header, lines, [])}`;
}
