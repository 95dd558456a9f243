import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** The facts about a machine on which set-up depends. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly nodeVersion: string;
  /** Such as `2.36`; `undefined` where Node.js runs on another C library. */
  readonly glibcVersion: string | undefined;
  readonly cpuModel: string;
  /** Names from `/proc/cpuinfo`, such as `avx2`, `avx512f`, `amx_tile`. */
  readonly cpuFlags: ReadonlySet<string>;
  readonly numCores: number;
  /** Memory that this process may use: the machine's, or its container's limit. */
  readonly memoryBytes: number;
}

/** Looks at the machine that this process runs on. */
export function readMachine(): Machine {
  const cpuinfo = readText('/proc/cpuinfo') ?? '';
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    glibcVersion: glibcVersion(),
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cpuFlags: new Set(/^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' ') ?? []),
    numCores: availableParallelism(),
    memoryBytes: Math.min(totalmem(), containerMemoryBytes()),
  };
}

function glibcVersion(): string | undefined {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  // Without this the report looks up the names of all open connections.
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as { header: Record<string, unknown> };
  const version = header.glibcVersionRuntime;
  return typeof version === 'string' ? version : undefined;
}

/** The limit of the control group, version 2 or 1; infinite when there is none. */
function containerMemoryBytes(): number {
  for (const file of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    const limit = Number(readText(file) ?? 'max');
    if (Number.isFinite(limit) && limit > 0) return limit;
  }
  return Infinity;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
