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
/** `bfloat16` is a float32 vector that crosses the ring as bfloat16; the other sides send float32. */
const TYPES = ['float32', 'int32', 'bfloat16'];
/** Bytes that one turn of a side moves through each vector, to choose how often it is repeated. */
const TURN_BYTES = 20e6;
const MAX_ITERATIONS = 200;

/** Starts all sides of `numRanks` processes each; they idle but when it is their turn. */
async function startSides(numRanks, rendezvous, withPyTorch) {
  const node = (module) =>
    RankGroup.start(numRanks, (rank) => Side.start(inDirectory(module), rank, numRanks));
  const gloo = () =>
    RankGroup.start(numRanks, (rank) =>
      Side.python(inDirectory('sides/gloo_rank.py'), rank, numRanks, rendezvous),
    );
  return {
    skipring: await node('sides/ring-rank.mjs'),
    ...(withPyTorch ? { gloo: await gloo() } : {}),
    tcp: await node('sides/tcp-rank.mjs'),
  };
}

/** All times of each side for one case, in turns: a, b, c, a, b, c, ... */
async function takeTurns(sides, request, turns) {
  const iterations = Math.max(1, Math.min(MAX_ITERATIONS, Math.floor(TURN_BYTES / request.bytes)));
  const times = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let turn = -1; turn < turns; turn++) {
    for (const [name, group] of Object.entries(sides)) {
      const measured = await group.measure({ ...request, iterations });
      if (turn >= 0) times[name].push(...measured);
    }
  }
  return times;
}

/** As nccl-tests define it: GB/s on each link, whatever the number of ranks. */
function busBandwidth(bytes, ms, numRanks) {
  return ((bytes / 1e9) * ((2 * (numRanks - 1)) / numRanks)) / (ms / 1e3);
}

function summarise(times, bytes, numRanks) {
  const p50 = quantile(times, 0.5);
  return {
    p50,
    p10: quantile(times, 0.1),
    p90: quantile(times, 0.9),
    p99: quantile(times, 0.99),
    busbw: busBandwidth(bytes, p50, numRanks),
    samples: times.length,
  };
}

/**
 * allReduce with one process per rank on loopback, against PyTorch with gloo and against plain TCP
 * sockets that send and receive as many bytes. Memory: 3 sides times ranks times the largest size.
 */
export async function ring({ runs, ranks = RANKS, sizes = SIZES }) {
  const withPyTorch = hasPyTorch();
  const rows = [];
  for (const numRanks of ranks) {
    const directory = mkdtempSync(join(tmpdir(), 'skipring-bench-'));
    const sides = await startSides(numRanks, join(directory, 'gloo'), withPyTorch);
    try {
      for (const bytes of sizes) {
        for (const type of TYPES) {
          const times = await takeTurns(sides, { bytes: bytes - (bytes % 4), type }, runs);
          rows.push({
            numRanks,
            bytes,
            type,
            sides: Object.fromEntries(
              Object.entries(times).map(([name, all]) => [name, summarise(all, bytes, numRanks)]),
            ),
          });
        }
      }
    } finally {
      for (const group of Object.values(sides)) await group.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const notes = [
    'bfloat16: of a float32 vector; its GB/s are of float32, and so are the other sides',
  ];
  return { title: 'allReduce', notes: withPyTorch ? notes : [...notes, NO_PYTORCH], rows };
}

/** The rows as Markdown: ms as p50 (p10-p90, p99), and GB/s of busbw from p50. */
export function ringTable({ notes, rows }) {
  const names = Object.keys(rows[0].sides);
  const others = names.slice(1);
  const header = [
    'ranks',
    'vector',
    ...names.map((name) => `${name} ms: p50 (p10-p90, p99)`),
    ...names.map((name) => `${name} GB/s`),
    ...others.map((name) => `skipring / ${name}`),
    'against its float32',
  ];
  const lines = rows.map(({ numRanks, bytes, type, sides }) => [
    numRanks,
    `${showBytes(bytes)} ${type}`,
    ...names.map((name) => showTimes(sides[name])),
    ...names.map((name) => sides[name].busbw.toPrecision(3)),
    ...others.map((name) => `${(sides[name].p50 / sides.skipring.p50).toFixed(2)}x`),
    `${(float32Ms(rows, numRanks, bytes) / sides.skipring.p50).toFixed(2)}x`,
  ]);
  return markdown(header, lines, notes);
}

/** What the same size took in float32, in the same run. */
function float32Ms(rows, numRanks, bytes) {
  const isSame = (row) =>
    row.numRanks === numRanks && row.bytes === bytes && row.type === 'float32';
  return rows.find(isSame).sides.skipring.p50;
}

function showBytes(bytes) {
  if (bytes >= 1e6) return bytes % 1e6 === 0 ? `${bytes / 1e6} MB` : `${bytes / 2 ** 20} MiB`;
  return bytes % 1_024 === 0 ? `${bytes / 1_024} KiB` : `${bytes} B`;
}

function showTimes({ p50, p10, p90, p99 }) {
  const [a, b, c, d] = [p50, p10, p90, p99].map((ms) => ms.toFixed(ms < 10 ? 3 : 1));
  return `${a} (${b}-${c}, ${d})`;
}
