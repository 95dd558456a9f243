import type uPlot from 'uplot';
import type { Mark } from './chart-data.js';
import type { Palette } from './palette.js';

/** Draws marks as dashed vertical lines, faults with a triangle at their foot. */
export function drawMarks(plot: uPlot, marks: readonly Mark[], palette: Palette): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { x, kind } of marks) {
    const at = Math.round(plot.valToPos(x, 'x', true));
    if (at < bbox.left || at > bbox.left + bbox.width) continue;
    const color = kind === 'fault' ? palette.fault : palette.generation;
    ctx.strokeStyle = color;
    ctx.lineWidth = scale;
    ctx.setLineDash([3 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    if (kind !== 'fault') continue;
    const foot = bbox.top + bbox.height;
    ctx.fillStyle = color;
    ctx.beginPath();
    ctx.moveTo(at, foot - 8 * scale);
    ctx.lineTo(at - 5 * scale, foot);
    ctx.lineTo(at + 5 * scale, foot);
    ctx.fill();
  }
  ctx.restore();
}
