import { readdir, readFile } from 'node:fs/promises';

/** What a process holds, as /proc tells. */
export interface Usage {
  readonly residentBytes: number;
  readonly numDescriptors: number;
}

const PAGE_BYTES = 4_096;

/** Null when there is no such process. */
export async function usageOf(pid: number): Promise<Usage | null> {
  try {
    const [statm, descriptors] = await Promise.all([
      readFile(`/proc/${pid}/statm`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    const residentPages = Number(statm.split(' ')[1]);
    return { residentBytes: residentPages * PAGE_BYTES, numDescriptors: descriptors.length };
  } catch {
    return null;
  }
}

/** Slope of the least-squares line through points (x, y), per unit of x; null below three points. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number | null {
  if (points.length < 3) return null;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return variance === 0 ? null : covariance / variance;
}
