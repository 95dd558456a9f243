import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasPyTorch, NO_PYTORCH } from './lib/python.mjs';
import { RankGroup } from './lib/rank-group.mjs';
import { Side } from './lib/side.mjs';
import { quantile } from './lib/stats.mjs';
import { markdown } from './lib/table.mjs';

const inDirectory = (path) => fileURLToPath(new URL(path, import.meta.url));

const RANKS = [2, 4];
const SIZES = [1_024, 4_096, 65_536, 1e6, 10e6, 100e6, 2 ** 28];
/** Bytes that one turn of a case moves through each vector, to choose how often it is repeated. */
const TURN_BYTES = 20e6;
const MAX_ITERATIONS = 200;
/** Fewer say nothing of a step that follows another, as in training. */
const MIN_ITERATIONS = 3;
/** Before the first turn of a size: JavaScript is compiled while it runs, beside it. */
const WARM_UP_ITERATIONS = 20;
/** Turns of every case for each of `runs`. */
const TURNS_PER_RUN = 2;

/** What is measured in turn: on which side, and of what type. */
const CASES = {
  float32: { side: 'skipring', type: 'float32' },
  int32: { side: 'skipring', type: 'int32' },
  /** A float32 vector that crosses the ring as bfloat16. */
  bfloat16: { side: 'skipring', type: 'bfloat16' },
  'float32 over TCP': { side: 'skipringTcp', type: 'float32' },
  gloo: { side: 'gloo', type: 'float32' },
  'plain TCP': { side: 'tcp', type: 'float32' },
};
/** How many times the bandwidth of the second has the first; those that were measured. */
const RATIOS = [
  ['float32', 'gloo'],
  ['float32', 'plain TCP'],
  ['float32', 'float32 over TCP'],
  ['int32', 'float32'],
  ['bfloat16', 'float32'],
  ['bfloat16', 'gloo'],
];

/** Starts all sides of `numRanks` processes each; they idle but when it is their turn. */
async function startSides(numRanks, rendezvous, withPyTorch) {
  const node = (module, ...args) =>
    RankGroup.start(numRanks, (rank) => Side.start(inDirectory(module), rank, numRanks, ...args));
  const gloo = () =>
    RankGroup.start(numRanks, (rank) =>
      Side.python(inDirectory('sides/gloo_rank.py'), rank, numRanks, rendezvous),
    );
  return {
    skipring: await node('sides/ring-rank.mjs'),
    skipringTcp: await node('sides/ring-rank.mjs', 'tcp'),
    ...(withPyTorch ? { gloo: await gloo() } : {}),
    tcp: await node('sides/tcp-rank.mjs'),
  };
}

/** What each case took, by turn; in turns: a, b, c, a, b, c, ... */
async function takeTurns(sides, bytes, turns) {
  const iterations = Math.max(
    MIN_ITERATIONS,
    Math.min(MAX_ITERATIONS, Math.floor(TURN_BYTES / bytes)),
  );
  const cases = Object.entries(CASES).filter(([, { side }]) => side in sides);
  const measured = Object.fromEntries(cases.map(([name]) => [name, []]));
  for (let turn = -1; turn < turns; turn++) {
    for (const [name, { side, type }] of cases) {
      const numRuns = turn < 0 ? Math.max(iterations, WARM_UP_ITERATIONS) : iterations;
      const result = await sides[side].measure({ bytes, type, iterations: numRuns });
      if (turn >= 0) measured[name].push(result);
    }
  }
  return measured;
}

/** As nccl-tests define it: GB/s on each link, whatever the number of ranks. */
function busBandwidth(bytes, ms, numRanks) {
  return ((bytes / 1e9) * ((2 * (numRanks - 1)) / numRanks)) / (ms / 1e3);
}

const median = (values) => quantile(values, 0.5);

function summarise(turns, bytes, numRanks) {
  const times = turns.flatMap(({ elapsedMs }) => elapsedMs);
  const p50 = median(times);
  return {
    p50,
    p10: quantile(times, 0.1),
    p90: quantile(times, 0.9),
    p99: quantile(times, 0.99),
    busbw: busBandwidth(bytes, p50, numRanks),
    userMs: median(turns.map(({ userMs }) => userMs)),
    systemMs: median(turns.map(({ systemMs }) => systemMs)),
    samples: times.length,
  };
}

/** Of the medians of each turn, so that what slows all of a turn down cancels out. */
function ratiosOf(measured) {
  return Object.fromEntries(
    RATIOS.filter((pair) => pair.every((name) => name in measured)).map(([fast, slow]) => {
      const ratios = measured[fast].map(
        ({ elapsedMs }, turn) => median(measured[slow][turn].elapsedMs) / median(elapsedMs),
      );
      const [p10, p50, p90] = [0.1, 0.5, 0.9].map((q) => quantile(ratios, q));
      return [`${fast} / ${slow}`, { p10, p50, p90 }];
    }),
  );
}

/**
 * allReduce with one process per rank on one machine: over local sockets, and of float32 also over TCP;
 * against PyTorch with gloo, and against plain TCP sockets that send and receive as many bytes.
 * Memory: 4 sides times ranks times the largest size.
 */
export async function ring({ runs, ranks = RANKS, sizes = SIZES }) {
  const withPyTorch = hasPyTorch();
  const rows = [];
  for (const numRanks of ranks) {
    const directory = mkdtempSync(join(tmpdir(), 'skipring-bench-'));
    const sides = await startSides(numRanks, join(directory, 'gloo'), withPyTorch);
    try {
      for (const size of sizes) {
        const bytes = size - (size % 4);
        const measured = await takeTurns(sides, bytes, TURNS_PER_RUN * runs);
        rows.push({
          numRanks,
          bytes,
          cases: Object.fromEntries(
            Object.entries(measured).map(([name, turns]) => [
              name,
              summarise(turns, bytes, numRanks),
            ]),
          ),
          ratios: ratiosOf(measured),
        });
      }
    } finally {
      for (const group of Object.values(sides)) await group.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const notes = [
    'int32 and float32 cross as they are, bfloat16 is of a float32 vector; gloo has float32',
    'user and system: processor time of a rank for one all-reduce, in the mean of the ranks',
    'ratios: p50 (p10-p90) over turns, of bandwidths of the vectors',
  ];
  return { title: 'allReduce', notes: withPyTorch ? notes : [...notes, NO_PYTORCH], rows };
}

/** The rows as Markdown: what each case took, with its busbw, and below it the ratios. */
export function ringTable({ notes, rows }) {
  const vectorOf = ({ numRanks, bytes }) => [numRanks, showBytes(bytes)];
  const times = markdown(
    ['ranks', 'vector', 'case', 'ms: p50 (p10-p90, p99)', 'busbw GB/s', 'user ms', 'system ms'],
    rows.flatMap((row) =>
      Object.entries(row.cases).map(([name, side]) => [
        ...vectorOf(row),
        name,
        showTimes(side),
        side.busbw.toPrecision(3),
        side.userMs.toPrecision(3),
        side.systemMs.toPrecision(3),
      ]),
    ),
    [],
  );
  const names = Object.keys(rows[0].ratios);
  const ratios = markdown(
    ['ranks', 'vector', ...names],
    rows.map((row) => [...vectorOf(row), ...names.map((name) => showRatio(row.ratios[name]))]),
    notes,
  );
  return `${times}\n${ratios}`;
}

function showBytes(bytes) {
  if (bytes >= 1e6) return bytes % 1e6 === 0 ? `${bytes / 1e6} MB` : `${bytes / 2 ** 20} MiB`;
  return bytes % 1_024 === 0 ? `${bytes / 1_024} KiB` : `${bytes} B`;
}

function showTimes({ p50, p10, p90, p99 }) {
  const [a, b, c, d] = [p50, p10, p90, p99].map((ms) => ms.toFixed(ms < 10 ? 3 : 1));
  return `${a} (${b}-${c}, ${d})`;
}

function showRatio({ p50, p10, p90 }) {
  const [a, b, c] = [p50, p10, p90].map((ratio) => ratio.toFixed(2));
  return `${a}x (${b}-${c})`;
}
