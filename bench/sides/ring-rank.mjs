// One rank of the ring. Arguments: rank, worldSize.
import { allReduce, barrier, SharedMemory } from '@skipring/collective';
import { connectRing, RingListener } from '@skipring/transport-ws';
import { serveRank } from '../lib/serve-rank.mjs';

const HOST = '127.0.0.1';
const DEADLINE = { deadlineMs: 120_000 };
const rank = Number(process.argv[2]);

const listener = await RingListener.listen({ host: HOST, port: 0 });
let transport;

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
  prepare({ bytes, type }) {
    const { buffer, dataOffset } = SharedMemory.allocate(bytes);
    const Type = type === 'int32' ? Int32Array : Float32Array;
    const vector = new Type(buffer, dataOffset, bytes / Type.BYTES_PER_ELEMENT);
    return () => allReduce(transport, vector, DEADLINE);
  },
  barrier: () => barrier(transport, DEADLINE),
});
