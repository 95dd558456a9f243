import { growthOf, slopeWithin, type Slope, type UsageSample } from './growth.js';
import { usageOf } from './process-usage.js';

const INTERVAL_MS = 2_000;
/** What a process may hold beyond what it held at first: sockets of requests under way. */
const SPARE_DESCRIPTORS = 20;
/** Memory is lost when it surely grows by more than this: 1.4 GB a day. */
const LEAK_MB_PER_MINUTE = 1;

export const processKinds = ['coordinator', 'worker'] as const;
export type ProcessKind = (typeof processKinds)[number];

/** A process that lives now. */
export interface LiveProcess {
  readonly kind: ProcessKind;
  readonly pid: number;
}

/** What the processes of one kind came to hold, over their lives. */
export interface LivesReport {
  readonly kind: ProcessKind;
  readonly numLives: number;
  /** Lives that were long enough to say; `null` below when there is none. */
  readonly numMeasured: number;
  /** Behind the warm-up of the lives that were measured shortest and longest. */
  readonly shortestMs: number;
  readonly longestMs: number;
  /** Of resident memory, within the lives that were measured. */
  readonly memory: Slope | null;
  /** Most descriptors at the end of a life beyond those behind its warm-up. */
  readonly numMoreDescriptors: number | null;
}

/** Looks at every process of a cluster now and then, from its start to its end. */
export class ProcessLives {
  private readonly lives = new Map<number, { kind: ProcessKind; samples: UsageSample[] }>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly alive: () => readonly LiveProcess[]) {}

  start(): void {
    this.timer ??= setInterval(() => {
      void this.look();
    }, INTERVAL_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  report(): LivesReport[] {
    return processKinds.map((kind) =>
      livesReport(
        kind,
        [...this.lives.values()].filter((life) => life.kind === kind).map(({ samples }) => samples),
      ),
    );
  }

  private async look(): Promise<void> {
    await Promise.all(
      this.alive().map(async ({ kind, pid }) => {
        const usage = await usageOf(pid);
        if (usage === null) return;
        const life = this.lives.get(pid) ?? { kind, samples: [] };
        this.lives.set(pid, life);
        life.samples.push({ atMs: performance.now(), ...usage });
      }),
    );
  }
}

/** @param lives samples of each process of the kind */
export function livesReport(
  kind: ProcessKind,
  lives: readonly (readonly UsageSample[])[],
): LivesReport {
  const growths = lives.flatMap((samples) => growthOf(samples) ?? []);
  const times = growths.map(({ measuredMs }) => measuredMs);
  const isMeasured = growths.length > 0;
  return {
    kind,
    numLives: lives.length,
    numMeasured: growths.length,
    shortestMs: isMeasured ? Math.min(...times) : 0,
    longestMs: isMeasured ? Math.max(...times) : 0,
    memory: isMeasured ? slopeWithin(growths) : null,
    numMoreDescriptors: isMeasured
      ? Math.max(...growths.map(({ numMoreDescriptors }) => numMoreDescriptors))
      : null,
  };
}

/** What was lost, each in words. */
export function growthLeaks(reports: readonly LivesReport[]): string[] {
  return reports.flatMap(({ kind, memory, numMoreDescriptors }) => {
    const leaks: string[] = [];
    if (numMoreDescriptors !== null && numMoreDescriptors > SPARE_DESCRIPTORS) {
      leaks.push(`${numMoreDescriptors} descriptors of a ${kind}`);
    }
    if (memory !== null && memory.low > LEAK_MB_PER_MINUTE) {
      leaks.push(`${memory.mbPerMinute.toFixed(1)} MB a minute of a ${kind}`);
    }
    return leaks;
  });
}
