// One rank of the ring. Arguments: rank, worldSize.
import { allReduce, barrier, SharedMemory } from '@skipring/collective';
import { connectRing, RingListener } from '@skipring/transport-ws';
import { serveRank } from '../lib/serve-rank.mjs';

const HOST = '127.0.0.1';
const DEADLINE = { deadlineMs: 120_000 };
const [rank, worldSize] = process.argv.slice(2).map(Number);

const listener = await RingListener.listen({ host: HOST, port: 0 });
let transport;

function newVector(bytes, type) {
  const { buffer, dataOffset } = SharedMemory.allocate(bytes);
  const Type = type === 'int32' ? Int32Array : Float32Array;
  return new Type(buffer, dataOffset, bytes / Type.BYTES_PER_ELEMENT);
}

/** One vector for each case, as training has one for all its steps. */
const kept = new Map();
function keptVector(bytes, type) {
  const key = `${bytes} ${type}`;
  if (!kept.has(key)) kept.set(key, newVector(bytes, type));
  return kept.get(key);
}

/** Small whole numbers, that float32 adds up exactly, and their sum over all ranks. */
async function checked(vector, run) {
  for (let i = 0; i < vector.length; i++) vector[i] = (rank + 1) * ((i % 1_000) + 1);
  await run();
  const factor = (worldSize * (worldSize + 1)) / 2;
  const at = vector.findIndex((value, i) => value !== factor * ((i % 1_000) + 1));
  if (at !== -1) throw new Error(`element ${at} of ${vector.length} is ${vector[at]}`);
}

serveRank({
  port: listener.port,
  async connect(ports) {
    transport = await connectRing({
      listener,
      fence: { jobId: 'bench', attempt: 1, generation: 1 },
      rank,
      members: ports.map((port) => ({ host: HOST, port })),
      ringToken: 'token of the benchmark',
      ...DEADLINE,
    });
  },
  prepare({ bytes, type, isChecked = false }) {
    const vector = isChecked ? keptVector(bytes, type) : newVector(bytes, type);
    const options = type === 'bfloat16' ? { ...DEADLINE, bfloat16: { mode: 'nearest' } } : DEADLINE;
    const run = () => allReduce(transport, vector, options);
    return isChecked ? () => checked(vector, run) : run;
  },
  barrier: () => barrier(transport, DEADLINE),
});
