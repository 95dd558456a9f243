// One rank of plain TCP sockets in a ring: sends as many bytes to the next rank as an all-reduce would,
// and takes as many from the previous one, both at once; nothing is added. Arguments: rank, worldSize.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { serveRank } from '../lib/serve-rank.mjs';

const HOST = '127.0.0.1';
const WRITE_BYTES = 2 ** 20;
const READ_BYTES = 2 ** 18;
const WRITES_IN_FLIGHT = 4;
const [rank, worldSize] = process.argv.slice(2).map(Number);

const server = createServer({ noDelay: true });
// The next rank may dial before this one is told where to.
const accepted = once(server, 'connection');
server.listen(0, HOST);
await once(server, 'listening');
let toNext;
let numReceived = 0;
/** Of all exchanges so far: the neighbour may be ahead by one. */
let numExpected = 0;
let onReceived = () => undefined;

/** Both directions of `numBytes`; resolves when the last byte is here and the last is sent. */
function exchange(outgoing) {
  numExpected += outgoing.byteLength;
  const received = new Promise((resolve) => {
    onReceived = () => {
      if (numReceived >= numExpected) resolve();
    };
    onReceived();
  });
  const sent = new Promise((resolve) => {
    let begin = 0;
    let numInFlight = 0;
    const write = () => {
      while (begin < outgoing.byteLength && numInFlight < WRITES_IN_FLIGHT) {
        numInFlight++;
        toNext.write(outgoing.subarray(begin, (begin += WRITE_BYTES)), () => {
          numInFlight--;
          write();
        });
      }
      if (numInFlight === 0) resolve();
    };
    write();
  });
  return Promise.all([received, sent]);
}

serveRank({
  address: server.address().port,
  async connect(ports) {
    connect({
      host: HOST,
      port: ports[(rank + worldSize - 1) % worldSize],
      onread: {
        buffer: Buffer.alloc(READ_BYTES),
        callback(numBytes) {
          numReceived += numBytes;
          onReceived();
          return true;
        },
      },
    });
    [toNext] = await accepted;
  },
  prepare({ bytes }) {
    const outgoing = Buffer.alloc(Math.ceil((2 * (worldSize - 1) * bytes) / worldSize));
    return () => exchange(outgoing);
  },
  barrier: () => exchange(Buffer.alloc(1)),
});
