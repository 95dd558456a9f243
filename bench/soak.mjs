import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { RankGroup } from './lib/rank-group.mjs';
import { Side } from './lib/side.mjs';
import { quantile, slope } from './lib/stats.mjs';
import { markdown } from './lib/table.mjs';

const NUM_RANKS = 4;
/** Small, middle and large, in turn: both algorithms, one segment and many. */
const SIZES = [4_096, 1e6, 16e6];
const TYPES = ['int32', 'float32'];
/** What is allocated while engine and buffers warm up says nothing about a leak. */
const WARM_UP_SHARE = 0.2;
const PROGRESS_MS = 60_000;

/**
 * All-reduces of four ranks for `minutes`, with `pauseMs` between two: every element of every result is
 * compared with the sum that it must be, and memory is looked at after each.
 */
export async function soak({ minutes = 60, pauseMs = 0 }) {
  const module = fileURLToPath(new URL('sides/ring-rank.mjs', import.meta.url));
  const group = await RankGroup.start(NUM_RANKS, (rank) => Side.start(module, rank, NUM_RANKS));
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  const samples = [];
  const times = [];
  let progressAt = PROGRESS_MS;
  try {
    for (let turn = 0; elapsed() < minutes * 60_000; turn++) {
      const bytes = SIZES[turn % SIZES.length];
      const type = TYPES[Math.floor(turn / SIZES.length) % TYPES.length];
      const answers = await group.ask({ bytes, type, isChecked: true, iterations: 1 });
      times.push(Math.max(...answers.map(({ elapsedMs: [ms] }) => ms)));
      samples.push({ at: elapsed(), rss: answers.map(({ rssBytes }) => rssBytes) });
      if (elapsed() > progressAt) {
        progressAt += PROGRESS_MS;
        const megabytes = samples.at(-1).rss.map((rss) => (rss / 1e6).toFixed(0));
        console.error(`${(elapsed() / 60_000).toFixed(0)} min: ${turn + 1}, RSS ${megabytes} MB`);
      }
      await pause(pauseMs);
    }
  } finally {
    await group.stop();
  }
  const settled = samples.filter(({ at }) => at > WARM_UP_SHARE * elapsed());
  const ranks = Array.from({ length: NUM_RANKS }, (_, rank) => {
    const points = settled.map(({ at, rss }) => [at / 3.6e6, rss[rank] / 1e6]);
    return { first: points[0]?.[1], last: points.at(-1)?.[1], slope: slope(points).perStep };
  });
  return { title: 'soak', minutes, numReductions: times.length, p50: quantile(times, 0.5), ranks };
}

export function soakTable({ minutes, numReductions, ranks }) {
  const header = ['rank', 'RSS after warm-up, MB', 'RSS at the end, MB', 'slope, MB an hour'];
  const lines = ranks.map(({ first, last, slope: perHour }, rank) => [
    rank,
    ...[first, last, perHour].map((value) => value.toFixed(1)),
  ]);
  const note = `${numReductions} all-reduces in ${minutes} min, all of them right, no error`;
  return markdown(header, lines, [note]);
}
