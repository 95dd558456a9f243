import { growthOf, type Growth, type UsageSample } from './growth.js';
import { usageOf } from './process-usage.js';
import { spread, type Spread } from './spread.js';

const INTERVAL_MS = 2_000;
/** What a process may hold beyond what it held at first: sockets of requests under way. */
const SPARE_DESCRIPTORS = 20;
/** Memory that grows for this long behind the warm-up, and by this much, is lost. */
const LEAK_MS = 300_000;
const LEAK_MB_PER_MINUTE = 5;

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
  /** Behind the warm-up of the life that was measured longest. */
  readonly longestMs: number;
  /** Slope of resident memory, over the lives that were measured. */
  readonly mbPerMinute: Spread | null;
  /** Median over those of five minutes or more; null when there is none. */
  readonly steadyMbPerMinute: number | null;
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
  return {
    kind,
    numLives: lives.length,
    numMeasured: growths.length,
    longestMs: Math.max(0, ...growths.map(({ measuredMs }) => measuredMs)),
    mbPerMinute: slopes(growths),
    steadyMbPerMinute:
      slopes(growths.filter(({ measuredMs }) => measuredMs >= LEAK_MS))?.p50 ?? null,
    numMoreDescriptors:
      growths.length === 0
        ? null
        : Math.max(...growths.map(({ numMoreDescriptors }) => numMoreDescriptors)),
  };
}

const slopes = (growths: readonly Growth[]): Spread | null =>
  spread(growths.map(({ mbPerMinute }) => mbPerMinute));

/** What was lost, each in words. */
export function growthLeaks(reports: readonly LivesReport[]): string[] {
  return reports.flatMap(({ kind, steadyMbPerMinute, numMoreDescriptors }) => {
    const leaks: string[] = [];
    if (numMoreDescriptors !== null && numMoreDescriptors > SPARE_DESCRIPTORS) {
      leaks.push(`${numMoreDescriptors} descriptors of a ${kind}`);
    }
    if (steadyMbPerMinute !== null && steadyMbPerMinute > LEAK_MB_PER_MINUTE) {
      leaks.push(`${steadyMbPerMinute.toFixed(1)} MB a minute of a ${kind}`);
    }
    return leaks;
  });
}
