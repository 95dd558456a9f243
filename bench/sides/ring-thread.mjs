// The ring of a rank on a thread of its own: the part of a worker's I/O thread that it needs.
import { parentPort } from 'node:worker_threads';
import { RingSession } from '../../apps/worker/dist/io/ring-session.js';

const ring = await RingSession.listen('127.0.0.1', 0, null, {
  localSockets: true,
  faults: null,
  silence: () => null,
  settings: () => ({}),
  onBroken: () => undefined,
  onLeft: () => undefined,
});

function answer(request) {
  if (request.kind === 'connectRing') return ring.connect(request);
  if (request.kind === 'closeRing') return ring.disconnect();
  return ring.run(request.call);
}

parentPort.on('message', ({ id, request }) => {
  answer(request).then(
    () => parentPort.postMessage({ id, error: null, traffic: ring.traffic }),
    (error) => parentPort.postMessage({ id, error: error.message }),
  );
});
parentPort.postMessage({ address: { port: ring.port, localName: ring.localName ?? undefined } });
