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
