import { fileURLToPath } from 'node:url';
import { Side } from './lib/side.mjs';
import { markdown } from './lib/table.mjs';

const SIDE = fileURLToPath(new URL('sides/endurance.mjs', import.meta.url));

/** Share of a step that is not the graph's own, and growth of memory over many steps. */
export async function endurance({ steps = 10_000 }) {
  const run = async (...args) => {
    const side = await Side.startWith(['--expose-gc'], SIDE, ...args);
    await side.stop();
    return side.about;
  };
  const overhead = await run('ResNet-20', '32x32x3', 64, 60);
  const memory = await run('ResNet-8', '8x8x3', 8, steps);
  return { overhead, memory, steps };
}

export function enduranceTable({ overhead, memory, steps }) {
  const { totalMs, graphMs } = overhead;
  const share = (100 * (totalMs - graphMs)) / totalMs;
  const { perStep, error } = memory.memory;
  const bytes = (value) => `${value.toFixed(1)} bytes`;
  return markdown(
    ['Endurance', 'measured'],
    [
      ['JavaScript and copies, share of a step of ResNet-20, batch 64', `${share.toFixed(1)} %`],
      [`growth of resident memory per step, ${steps} steps of ResNet-8`, bytes(perStep)],
      ['two standard errors of that', bytes(2 * error)],
      ['resident memory at the end', `${(memory.lastBytes / 1e6).toFixed(0)} MB`],
    ],
    [],
  );
}
