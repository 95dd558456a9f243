import type { FaultView } from '@skipring/protocol';
import { duration, table } from '../output/format.js';
import type { ChaosKind } from './plan.js';
import type { LivesReport } from './process-lives.js';
import type { Spread } from './spread.js';

/** A disturbance that happened, and what was measured of it. */
export interface Struck {
  readonly kind: ChaosKind;
  /** Null of what is done to the coordinator. */
  readonly view: FaultView | null;
}

/** A job that was disturbed until its end. */
export interface DisturbedRun {
  readonly jobId: string;
  readonly state: string;
  readonly modelSha256: string | null;
  readonly numRedone: number;
  readonly numAttempts: number;
  readonly isExact: boolean;
}

export interface ChaosReport {
  readonly passed: boolean;
  readonly seed: number;
  readonly elapsedMs: number;
  readonly numWorkers: number;
  /** Kinds that were left out. */
  readonly without: readonly ChaosKind[];
  /** How often each kind struck. */
  readonly faults: Readonly<Record<string, number>>;
  readonly undisturbedSha256: string;
  readonly runs: readonly DisturbedRun[];
  readonly hashesEqual: boolean;
  /** Every sample of every epoch went into the model exactly once. */
  readonly samplesExact: boolean;
  readonly numStepsRedone: number;
  readonly abortMs: Spread | null;
  readonly recoverMs: Spread | null;
  /** What coordinators and workers came to hold; empty where the cluster is somebody else's. */
  readonly processes: readonly LivesReport[];
  /** What was still there at the end and should not have been; each in words. */
  readonly leaks: readonly string[];
}

export function countKinds(struck: readonly Struck[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of struck) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** The report for people. */
export function describeReport(report: ChaosReport): string {
  const { runs, abortMs, recoverMs, processes, leaks } = report;
  const ms = (value: Spread | null): string =>
    value === null
      ? 'not measured'
      : `p50 ${Math.round(value.p50)} ms, max ${Math.round(value.max)} ms (${value.count} faults)`;
  const faults = Object.entries(report.faults).map(([kind, count]) => `${kind} ${count}`);
  const rows = [
    ['faults', faults.join(', ') || 'none'],
    [
      'jobs',
      `${runs.length} disturbed, ${runs.filter(({ state }) => state === 'succeeded').length} succeeded`,
    ],
    ['models', report.hashesEqual ? 'all as undisturbed' : 'NOT all as undisturbed'],
    ['samples', report.samplesExact ? '0 lost, 0 repeated (by the ledger)' : 'lost or repeated'],
    ['steps redone', String(report.numStepsRedone)],
    ['time to abort', ms(abortMs)],
    ['time to recover', ms(recoverMs)],
    ...(processes.length === 0 ? [['memory', 'not measured']] : processes.map(growthRow)),
    ['leaks', leaks.join('; ') || 'none'],
    ['undisturbed', report.undisturbedSha256],
  ];
  const verdict = report.passed ? 'passed' : 'FAILED';
  const without = report.without.length === 0 ? '' : ` --without ${report.without.join(',')}`;
  const again = `skipring chaos --seed ${report.seed} --workers ${report.numWorkers}${without}`;
  const title = `chaos ${verdict} after ${duration(report.elapsedMs)}, seed ${report.seed}`;
  return [title, table(rows[0] ?? [], rows.slice(1)), `again: ${again}`].join('\n');
}

function growthRow({
  kind,
  numLives,
  numMeasured,
  shortestMs,
  longestMs,
  memory,
  numMoreDescriptors,
}: LivesReport): string[] {
  const name = `${kind}s`;
  if (memory === null)
    return [name, `growth not measured: none of ${numLives} lives is long enough`];
  const { mbPerMinute, low, high } = memory;
  const verdict = low > 0 ? 'it grows' : high < 0 ? 'it shrinks' : 'no slope measurable';
  const interval = `95 % within ${signed(low)} to ${signed(high)}`;
  const descriptors = `descriptors at most ${signed(numMoreDescriptors ?? 0, 0)}`;
  const times = [...new Set([duration(shortestMs), duration(longestMs)])].join(' to ');
  return [
    name,
    `memory ${signed(mbPerMinute)} MB/min, ${interval}: ${verdict}; ${descriptors} ` +
      `(${numMeasured} of ${numLives} lives measured, over ${times})`,
  ];
}

function signed(value: number, numDigits = 2): string {
  const text = value.toFixed(numDigits);
  return value > 0 ? `+${text}` : text;
}
