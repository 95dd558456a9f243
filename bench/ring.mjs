import { once } from 'node:events';
import { allGather, reduceScatter } from '@skipring/collective';
import { connectRing, RingListener } from '@skipring/transport-ws';
import { WebSocket, WebSocketServer } from 'ws';
import { timed } from './lib/side.mjs';
import { interleave } from './lib/stats.mjs';

const WORLD_SIZE = 4;
const HOST = '127.0.0.1';
const DEADLINE_MS = 120_000;
const CASES = [
  { megabytes: 1, type: Int32Array },
  { megabytes: 10, type: Int32Array },
  { megabytes: 100, type: Int32Array },
  { megabytes: 1, type: Float32Array },
  { megabytes: 10, type: Float32Array },
  { megabytes: 100, type: Float32Array },
];

async function openRing() {
  const listeners = await Promise.all(
    Array.from({ length: WORLD_SIZE }, () => RingListener.listen({ host: HOST, port: 0 })),
  );
  const members = listeners.map(({ port }) => ({ host: HOST, port }));
  const ranks = await Promise.all(
    listeners.map((listener, rank) =>
      connectRing({
        listener,
        fence: { jobId: 'bench', attempt: 1, generation: 1 },
        rank,
        members,
        ringToken: 'token of the benchmark',
        deadlineMs: DEADLINE_MS,
      }),
    ),
  );
  return {
    async allReduce(vectors) {
      const options = { deadlineMs: DEADLINE_MS };
      await Promise.all(ranks.map((rank, i) => reduceScatter(rank, vectors[i], options)));
      await Promise.all(ranks.map((rank, i) => allGather(rank, vectors[i], options)));
    },
    async close() {
      await Promise.all(ranks.map((rank) => rank.close()));
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

/** The plain way: binary messages over ws to one rank, which adds and sends the sum back. */
async function openStar() {
  const server = new WebSocketServer({
    host: HOST,
    port: 0,
    perMessageDeflate: false,
    maxPayload: 2 ** 30,
  });
  await once(server, 'listening');
  const accepted = [];
  const sockets = [];
  for (let rank = 1; rank < WORLD_SIZE; rank++) {
    const connection = once(server, 'connection');
    const socket = new WebSocket(`ws://${HOST}:${server.address().port}`, {
      perMessageDeflate: false,
      maxPayload: 2 ** 30,
    });
    [accepted[rank - 1]] = await connection;
    if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
    sockets.push(socket);
  }
  return {
    async allReduce([sum, ...vectors]) {
      const Type = sum.constructor;
      const asVector = (data) => new Type(new Uint8Array(data).buffer);
      const back = sockets.map(async (socket, index) => {
        const [data] = await once(socket, 'message');
        vectors[index].set(asVector(data));
      });
      const received = accepted.map((socket) => once(socket, 'message'));
      sockets.forEach((socket, index) => socket.send(vectors[index]));
      for (const message of received) {
        const [data] = await message;
        const other = asVector(data);
        for (let i = 0; i < sum.length; i++) sum[i] += other[i];
      }
      for (const socket of accepted) socket.send(sum);
      await Promise.all(back);
    },
    close() {
      for (const socket of sockets) socket.terminate();
      server.close();
    },
  };
}

/** Sum over four ranks: the ring, a gather at one rank, and copying as much memory. */
export async function ring({ runs }) {
  const ringGroup = await openRing();
  const star = await openStar();
  const rows = [];
  try {
    for (const { megabytes, type: Type } of CASES) {
      const vectors = Array.from({ length: WORLD_SIZE }, () => new Type((megabytes * 1e6) / 4));
      const target = new Type(vectors[0].length);
      const times = await interleave(
        {
          ring: () => timed(() => ringGroup.allReduce(vectors)),
          star: () => timed(() => star.allReduce(vectors)),
          // All ranks together send 2 (worldSize - 1) vectors: the least that has to be moved.
          copy: () =>
            timed(() => {
              for (let i = 0; i < 2 * (WORLD_SIZE - 1); i++) target.set(vectors[i % WORLD_SIZE]);
            }),
        },
        { warmups: 1, runs },
      );
      rows.push({ case: `${megabytes} MB ${Type === Int32Array ? 'int32' : 'float32'}`, times });
    }
  } finally {
    await ringGroup.close();
    star.close();
  }
  return {
    title: `Sum over ${WORLD_SIZE} ranks, ms`,
    baseline: 'star',
    subject: 'ring',
    notes: ['all ranks share one process and its event loop'],
    rows,
  };
}
