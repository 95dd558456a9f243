import { fileURLToPath } from 'node:url';
import { Side } from './lib/side.mjs';
import { quantile } from './lib/stats.mjs';
import { markdown } from './lib/table.mjs';

const NUM_RANKS = 2;
const MODEL = { family: 'resnet', depth: 50 };
const CASES = [
  { size: 224, laneSize: 16 },
  { size: 64, laneSize: 16 },
];
/** Of each training; the first is not counted. */
const NUM_STEPS = 3;

/**
 * A training step of ResNet-50 on two ranks of one core each, with the ring's work beside the backward
 * pass and behind it, in turn: the time of the step, and how much of the ring's is hidden.
 *
 * @param sizes heights of the images; all where absent
 */
export async function overlap({ runs, sizes }) {
  const rows = [];
  for (const { size, laneSize } of CASES) {
    if (sizes !== undefined && !sizes.includes(size)) continue;
    const module = fileURLToPath(new URL('sides/worker-rank.mjs', import.meta.url));
    const ranks = await Promise.all(
      Array.from({ length: NUM_RANKS }, (_, rank) =>
        Side.start(module, rank, JSON.stringify(MODEL), laneSize, size),
      ),
    );
    const { vectorBytes, numBuckets, lastBucketBytes } = ranks[0].about;
    const addresses = ranks.map(({ about }) => about.address);
    const steps = { 'ring behind': [], 'ring beside': [] };
    try {
      for (let generation = 1; generation <= 2 * Math.ceil(runs / (NUM_STEPS - 1)); generation++) {
        const overlaps = generation % 2 === 0;
        const answers = await Promise.all(
          ranks.map((side) => side.ask({ addresses, generation, numSteps: NUM_STEPS, overlaps })),
        );
        steps[overlaps ? 'ring beside' : 'ring behind'].push(...slowest(answers));
      }
    } finally {
      for (const side of ranks) await side.stop();
    }
    const about = { numBuckets, vectorBytes, lastBucketBytes };
    rows.push({ case: `ResNet-50 ${size}x${size}, lane of ${laneSize}`, ...about, steps });
  }
  return { rows };
}

/** Of each step, what the rank that waited longest for the ring tells. */
function slowest(answers) {
  return answers[0].steps.map((_, step) => {
    const ofRanks = answers.map(({ steps }) => steps[step]);
    return ofRanks.reduce((worst, next) => (next.ringMs > worst.ringMs ? next : worst));
  });
}

const wholeMs = (step) =>
  step.dataWaitMs + step.computeMs + step.ringMs + step.commitMs + step.applyMs;
const share = ({ ringMs, ringHiddenMs }) => ringHiddenMs / (ringMs + ringHiddenMs);

function show(steps, valueOf, digits = 0) {
  const values = steps.map(valueOf);
  const [low, median, high] = [0.1, 0.5, 0.9].map((q) => quantile(values, q).toFixed(digits));
  return `${median} (${low}-${high})`;
}

export function overlapTable({ rows }) {
  const lines = rows.flatMap((row) =>
    Object.entries(row.steps).map(([name, steps]) => [
      row.case,
      name,
      show(steps, wholeMs),
      show(steps, ({ computeMs }) => computeMs),
      show(steps, ({ ringMs }) => ringMs),
      show(steps, ({ ringMs, ringHiddenMs }) => ringMs + ringHiddenMs),
      `${show(steps, (step) => 100 * share(step))} %`,
    ]),
  );
  const notes = rows.map(
    ({ case: name, numBuckets, vectorBytes, lastBucketBytes }) =>
      `${name}: ${(vectorBytes / 1e6).toFixed(1)} MB in ${numBuckets} buckets, ` +
      `the last of ${(lastBucketBytes / 1e6).toFixed(1)} MB`,
  );
  const header = ['Case, ms', 'ring', 'step', 'compute', 'waited for ring', 'ring', 'hidden'];
  return markdown(header, lines, notes);
}
