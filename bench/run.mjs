// Runs the named benchmarks, or all but `gpu` and `soak`:
// node bench/run.mjs [step] [endurance] [ring] [overlap] [ddp] [sync] [load] [elasticity] [gpu] [soak]
// [--runs N] [--quick] [--json FILE];
// `step` also takes --only TEXT, `endurance` --steps N, `ring` --ranks 2,4 and --sizes 1000,1000000
// (bytes), `overlap` --sizes 224,64 (of images), `load` --seconds N; `sync` takes --data DIR, of
// Fashion-MNIST's files, --plot FILE, for an SVG, --lane 32 (samples), --model resnet,perceptron, --delay 20
// (ms each way), --steps 128 (whose speed is measured), --epochs 3, --only speed or accuracy,
// and --exchange BYTES, up to which the ring exchanges vectors whole; `soak` --minutes 60 and --pause 0 (ms).
// --quick is for a first look: two runs, and a tenth of the steps of `endurance`.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ddp, ddpTable } from './ddp.mjs';
import { machine } from './lib/machine.mjs';
import { elasticity, elasticityTable } from './elasticity.mjs';
import { endurance, enduranceTable } from './endurance.mjs';
import { load, loadTable } from './load.mjs';
import { overlap, overlapTable } from './overlap.mjs';
import { ring, ringTable } from './ring.mjs';
import { soak, soakTable } from './soak.mjs';
import { gpuStep, step, stepTable } from './step.mjs';
import { plotSync, sync, syncTable } from './sync.mjs';

const benchmarks = {
  step,
  endurance,
  ring,
  overlap,
  ddp,
  sync,
  load,
  elasticity,
  gpu: gpuStep,
  soak,
};
/** Those that run only when they are named. */
const special = ['gpu', 'soak'];
const tables = {
  step: stepTable,
  gpu: stepTable,
  ring: ringTable,
  endurance: enduranceTable,
  overlap: overlapTable,
  ddp: ddpTable,
  sync: syncTable,
  load: loadTable,
  elasticity: elasticityTable,
  soak: soakTable,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    steps: { type: 'string' },
    seconds: { type: 'string' },
    ranks: { type: 'string' },
    sizes: { type: 'string' },
    data: { type: 'string' },
    plot: { type: 'string' },
    lane: { type: 'string' },
    model: { type: 'string' },
    delay: { type: 'string' },
    epochs: { type: 'string' },
    exchange: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    pause: { type: 'string', default: '0' },
  },
});
const names =
  positionals.length > 0
    ? positionals
    : Object.keys(benchmarks).filter((name) => !special.includes(name));
const runs = Number(values.runs ?? (values.quick ? 2 : 5));
/** Of --quick; without it, and of other benchmarks, each one has its own. */
const quickSteps = { endurance: '1000' };
const numbers = (list) => list?.split(',').map(Number);
const unknown = names.filter((name) => !(name in benchmarks));
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
  const known = Object.keys(benchmarks).join(', ');
  process.stderr.write(`error: expected names of ${known}, and --runs of at least 1\n`);
  process.exit(2);
}

const results = { machine: machine(), runs, benchmarks: {} };
console.log(results.machine);
for (const name of names) {
  const steps = values.steps ?? (values.quick ? quickSteps[name] : undefined);
  const result = await benchmarks[name]({
    runs,
    ...(values.only === undefined ? {} : { only: values.only }),
    ...(steps === undefined ? {} : { steps: Number(steps) }),
    ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
    ranks: numbers(values.ranks),
    sizes: numbers(values.sizes),
    data: values.data,
    laneSize: values.lane === undefined ? undefined : Number(values.lane),
    models: values.model?.split(','),
    ...(values.delay === undefined ? {} : { delayMs: Number(values.delay) }),
    exchangeLimitBytes: values.exchange === undefined ? undefined : Number(values.exchange),
    ...(values.epochs === undefined ? {} : { epochs: Number(values.epochs) }),
    minutes: Number(values.minutes),
    pauseMs: Number(values.pause),
  });
  results.benchmarks[name] = result;
  console.log(tables[name](result));
}
if (values.plot !== undefined && results.benchmarks.sync !== undefined) {
  plotSync(results.benchmarks.sync, values.plot);
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}
