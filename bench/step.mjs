import { fileURLToPath } from 'node:url';
import { hasPyTorch, NO_PYTORCH } from './lib/python.mjs';
import { Side } from './lib/side.mjs';
import { interleave } from './lib/stats.mjs';

const inDirectory = (path) => fileURLToPath(new URL(path, import.meta.url));

const CASES = [
  { shape: '32x32x3', samples: 128, precision: 'float32' },
  { shape: '32x32x3', samples: 64, precision: 'float32' },
  { shape: '28x28x1', samples: 128, precision: 'float32' },
  { shape: '28x28x1', samples: 64, precision: 'float32' },
  { shape: '32x32x3', samples: 128, precision: 'bfloat16' },
];

/**
 * A training step of ResNet-20: recorded graph, stock TensorFlow.js (always float32), and PyTorch
 * where it is installed.
 */
export async function step({ runs }) {
  const withPyTorch = hasPyTorch();
  const rows = [];
  for (const { shape, samples, precision } of CASES) {
    const sides = {
      recorded: await Side.start(inDirectory('sides/recorded-step.mjs'), shape, samples, precision),
      stock: await Side.start(inDirectory('sides/stock-step.mjs'), shape, samples, 'default'),
      'stock + oneDNN': await Side.start(
        inDirectory('sides/stock-step.mjs'),
        shape,
        samples,
        'tuned',
      ),
      ...(withPyTorch
        ? {
            pytorch: await Side.python(
              inDirectory('sides/torch_step.py'),
              shape,
              samples,
              precision,
            ),
          }
        : {}),
    };
    try {
      const measures = Object.fromEntries(
        Object.entries(sides).map(([name, side]) => [name, () => side.measure()]),
      );
      const times = await interleave(measures, { warmups: 3, runs });
      rows.push({ case: `ResNet-20 ${shape}, batch ${samples}, ${precision}`, times });
    } finally {
      for (const side of Object.values(sides)) await side.stop();
    }
  }
  return {
    title: 'Training step, ms',
    subject: 'recorded',
    baseline: 'stock',
    notes: withPyTorch ? [] : [NO_PYTORCH],
    rows,
  };
}
