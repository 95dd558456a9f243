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
/** How often memory is looked at, after garbage is collected: rarely, so that it does not help. */
const MAX_LOOK_MS = 15_000;
const PROGRESS_MS = 60_000;
/** What is looked at: in use after a collection, and resident. */
const MEASURES = ['kept', 'rss'];

/**
 * All-reduces of four ranks for `minutes`, with `pauseMs` between two: every element of every result is
 * compared with the sum that it must be, and the memory of each rank is looked at now and then.
 */
export async function soak({ minutes = 60, pauseMs = 0 }) {
  const module = fileURLToPath(new URL('sides/ring-rank.mjs', import.meta.url));
  const group = await RankGroup.start(NUM_RANKS, (rank) =>
    Side.startWith(['--expose-gc'], module, rank, NUM_RANKS),
  );
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  const looks = [];
  const times = [];
  // At least 80 looks after the warm-up.
  const lookMs = Math.min(MAX_LOOK_MS, minutes * 600);
  let [lookAt, progressAt] = [0, PROGRESS_MS];
  try {
    for (let turn = 0; elapsed() < minutes * 60_000; turn++) {
      const bytes = SIZES[turn % SIZES.length];
      const type = TYPES[Math.floor(turn / SIZES.length) % TYPES.length];
      const isLook = elapsed() >= lookAt;
      const request = { bytes, type, isChecked: true, iterations: 1, looks: isLook };
      const answers = await group.ask(request);
      times.push(Math.max(...answers.map(({ elapsedMs: [ms] }) => ms)));
      if (isLook) {
        lookAt += lookMs;
        looks.push({ at: elapsed(), memory: answers.map(({ memory }) => memory) });
      }
      if (elapsed() > progressAt) {
        progressAt += PROGRESS_MS;
        console.error(`${(elapsed() / 60_000).toFixed(0)} min: ${turn + 1}; ${lastOf(looks)}`);
      }
      await pause(pauseMs);
    }
  } finally {
    await group.stop();
  }
  const settled = looks.filter(({ at }) => at > WARM_UP_SHARE * elapsed());
  const ranks = Array.from({ length: NUM_RANKS }, (_, rank) =>
    Object.fromEntries(
      MEASURES.map((name) => [
        name,
        trend(settled.map((look) => [look.at, look.memory[rank][name]])),
      ]),
    ),
  );
  return { title: 'soak', minutes, numReductions: times.length, p50: quantile(times, 0.5), ranks };
}

function lastOf(looks) {
  const show = (name) => looks.at(-1).memory.map((memory) => (memory[name] / 1e6).toFixed(1));
  return `in use ${show('kept')}, resident ${show('rss')} MB`;
}

/** First and last, MB, and the slope in MB an hour with its standard error. */
function trend(points) {
  const inUnits = points.map(([ms, bytes]) => [ms / 3.6e6, bytes / 1e6]);
  const { perStep, error } = slope(inUnits);
  return { first: inUnits[0][1], last: inUnits.at(-1)[1], slope: perStep, error };
}

export function soakTable({ minutes, numReductions, p50, ranks }) {
  const header = ['rank', 'in use, MB', 'slope, MB an hour', 'resident, MB', 'slope, MB an hour'];
  const lines = ranks.map((memory, rank) => [
    rank,
    ...MEASURES.flatMap((name) => {
      const { first, last, slope: perHour, error } = memory[name];
      return [
        `${first.toFixed(1)} to ${last.toFixed(1)}`,
        `${perHour.toFixed(2)} +- ${error.toFixed(2)}`,
      ];
    }),
  ]);
  const note =
    `${numReductions} all-reduces in ${minutes} min, p50 ${p50.toFixed(1)} ms, all of them right, ` +
    'no error; memory after the first fifth, after collections of garbage';
  return markdown(header, lines, [note]);
}
