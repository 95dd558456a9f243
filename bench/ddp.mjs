import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODELS } from './lib/models.mjs';
import { hasPyTorch, NO_PYTORCH } from './lib/python.mjs';
import { Side } from './lib/side.mjs';
import { summary } from './lib/stats.mjs';
import { markdown } from './lib/table.mjs';

const inDirectory = (path) => fileURLToPath(new URL(path, import.meta.url));

const MODEL = 'ResNet-20';
const NUM_RANKS = 2;
/** Of a rank, so that the global batch of two is 256. */
const NUM_SAMPLES = 128;
const IMAGE_SIZE = 32;
/** Of each turn; the first is not counted. */
const NUM_STEPS = 5;

/**
 * The two ranks of one side, rank r on core r alone. Both sides have `train(ranks, together)`, which
 * resolves to the milliseconds of each step of each of the `ranks`, that train in one job or each in
 * its own.
 */
class SkipringRanks {
  #ranks;
  #generation = 0;

  static async start() {
    const side = new SkipringRanks();
    const model = JSON.stringify(MODELS[MODEL].spec);
    side.#ranks = await startAll((rank) =>
      Side.start(inDirectory('sides/worker-rank.mjs'), rank, model, NUM_SAMPLES, IMAGE_SIZE),
    );
    return side;
  }

  async train(ranks, together) {
    const addresses = this.#ranks.map(({ about }) => about.address);
    const generation = ++this.#generation;
    const answers = await Promise.all(
      ranks.map((rank) =>
        this.#ranks[rank].ask({
          addresses: together ? addresses : [addresses[rank]],
          generation,
          numSteps: NUM_STEPS,
          overlaps: true,
        }),
      ),
    );
    return answers.map(({ steps }) => steps.map(({ elapsedMs }) => elapsedMs));
  }

  stop() {
    return stopAll(this.#ranks);
  }
}

class PyTorchRanks {
  #ranks;
  #directory = mkdtempSync(join(tmpdir(), 'skipring-ddp-'));

  static async start() {
    const side = new PyTorchRanks();
    const rendezvous = join(side.#directory, 'rendezvous');
    const script = inDirectory('sides/ddp_rank.py');
    side.#ranks = await startAll((rank) =>
      Side.python(script, rank, NUM_RANKS, rendezvous, rank, MODEL, NUM_SAMPLES, IMAGE_SIZE),
    );
    await Promise.all(side.#ranks.map((rank) => rank.ask({ connect: true })));
    return side;
  }

  async train(ranks, together) {
    const request = { numRanks: together ? NUM_RANKS : 1, numSteps: NUM_STEPS };
    const answers = await Promise.all(ranks.map((rank) => this.#ranks[rank].ask(request)));
    return answers.map(({ elapsedMs }) => elapsedMs);
  }

  async stop() {
    await stopAll(this.#ranks);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const startAll = (start) =>
  Promise.all(Array.from({ length: NUM_RANKS }, (_, rank) => start(rank)));
const stopAll = (ranks) => Promise.all(ranks.map((rank) => rank.stop()));

const ALL_RANKS = Array.from({ length: NUM_RANKS }, (_, rank) => rank);
/** How the ranks train. `apart` shows what sharing a machine costs without a ring. */
const ARRANGEMENTS = {
  alone: { ranks: [0], together: false },
  apart: { ranks: ALL_RANKS, together: false },
  together: { ranks: ALL_RANKS, together: true },
};

/**
 * Images per second of ResNet-20 on two workers of one core each, global batch 256, of random images
 * of 32x32x3: Skipring (exact reduction, the ring beside the backward pass, as workers have it) and
 * PyTorch's DistributedDataParallel over gloo, on the same cores in turn; and on one worker with a
 * batch of 128, for the efficiency of scaling.
 */
export async function ddp({ runs }) {
  const sides = { skipring: await SkipringRanks.start() };
  const withPyTorch = hasPyTorch();
  const rates = {};
  try {
    if (withPyTorch) sides.pytorch = await PyTorchRanks.start();
    for (let run = -1; run < runs; run++) {
      for (const [arrangement, { ranks, together }] of Object.entries(ARRANGEMENTS)) {
        for (const [name, side] of Object.entries(sides)) {
          const times = await side.train(ranks, together);
          // The first turn of each is for warming up.
          if (run < 0) continue;
          rates[name] ??= Object.fromEntries(Object.keys(ARRANGEMENTS).map((key) => [key, []]));
          rates[name][arrangement].push(...imagesPerSecond(times));
        }
      }
    }
  } finally {
    for (const side of Object.values(sides)) await side.stop();
  }
  const rows = Object.entries(rates).map(([side, of]) => ({
    side,
    rates: Object.fromEntries(Object.entries(of).map(([name, values]) => [name, summary(values)])),
  }));
  return { rows, notes: withPyTorch ? [] : [NO_PYTORCH] };
}

/** Of each step, summed over the ranks. */
function imagesPerSecond(times) {
  return times[0].map((_, step) =>
    times.reduce((sum, ofRank) => sum + (1e3 * NUM_SAMPLES) / ofRank[step], 0),
  );
}

const show = ({ median, p10, p90 }) => `${median.toFixed(0)} (${p10.toFixed(0)}-${p90.toFixed(0)})`;

export function ddpTable({ rows, notes }) {
  const [subject] = rows;
  const lines = rows.map(({ side, rates }) => {
    const { alone, apart, together } = rates;
    const efficiency = (of) => `${((100 * of.median) / (NUM_RANKS * alone.median)).toFixed(0)} %`;
    return [
      side,
      show(alone),
      show(apart),
      show(together),
      efficiency(apart),
      efficiency(together),
      `${(subject.rates.together.median / together.median).toFixed(2)}x`,
    ];
  });
  const header = [
    `${MODEL}, ${NUM_SAMPLES} a worker, images/s`,
    'n = 1',
    'n = 2, two jobs',
    'n = 2, one job',
    'efficiency: two jobs',
    'one job',
    'skipring / side',
  ];
  return markdown(header, lines, notes);
}
