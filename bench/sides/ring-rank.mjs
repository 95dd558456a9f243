// One rank of the ring. Arguments: rank, worldSize, and `tcp` for a ring without local sockets.
import { allReduce, barrier, SharedMemory } from '@skipring/collective';
import { connectRing, RingListener } from '@skipring/transport-ws';
import { serveRank } from '../lib/serve-rank.mjs';

const HOST = '127.0.0.1';
const DEADLINE = { deadlineMs: 120_000 };
const [rank, worldSize] = process.argv.slice(2).map(Number);

const localSockets = process.argv[4] !== 'tcp';
const listener = await RingListener.listen({ host: HOST, port: 0, localSockets });
let transport;

/** Memories for vectors by their number of bytes: training has one for all its steps. */
const memories = new Map();

/** Types share the bytes of a size; without `keepsAll` only the newest size has some. */
function vectorOf(bytes, type, keepsAll) {
  if (!memories.has(bytes)) {
    if (!keepsAll) memories.clear();
    memories.set(bytes, SharedMemory.allocate(bytes));
  }
  const { buffer, dataOffset } = memories.get(bytes);
  const Type = type === 'int32' ? Int32Array : Float32Array;
  return new Type(buffer, dataOffset, bytes / Type.BYTES_PER_ELEMENT);
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
  address: { host: HOST, port: listener.port, localName: listener.localName ?? undefined },
  async connect(members) {
    transport = await connectRing({
      listener,
      fence: { jobId: 'bench', attempt: 1, generation: 1 },
      rank,
      members,
      ringToken: 'token of the benchmark',
      ...DEADLINE,
    });
  },
  prepare({ bytes, type, isChecked = false }) {
    const vector = vectorOf(bytes, type, isChecked);
    const options = type === 'bfloat16' ? { ...DEADLINE, bfloat16: { mode: 'nearest' } } : DEADLINE;
    const run = () => allReduce(transport, vector, options);
    return isChecked ? () => checked(vector, run) : run;
  },
  barrier: () => barrier(transport, DEADLINE),
});
