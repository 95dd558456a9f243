/**
 * The process of one rank: connects when it is told all ports, then runs what `prepare` gives as
 * often as it is asked, after a barrier, and answers with the milliseconds of each run; where `looks` is
 * set, also with its memory after a collection of garbage, for which Node.js needs `--expose-gc`.
 */
export function serveRank({ port, connect, prepare, barrier }) {
  let prepared = { case: null, run: null };
  process.on('message', async ({ ports, iterations, looks = false, ...request }) => {
    if (ports !== undefined) {
      await connect(ports);
      process.send({ connected: true });
      return;
    }
    const key = JSON.stringify(request);
    if (prepared.case !== key) prepared = { case: key, run: prepare(request) };
    const elapsedMs = [];
    await barrier();
    let last = performance.now();
    for (let iteration = 0; iteration < iterations; iteration++) {
      await prepared.run();
      const now = performance.now();
      elapsedMs.push(now - last);
      last = now;
    }
    process.send({ elapsedMs, memory: looks ? memoryAfterCollection() : null });
  });
  process.on('disconnect', () => process.exit());
  process.send({ ready: { port } });
}

/** Bytes: what is in use on the heap and outside of it, and what the system has given to the process. */
function memoryAfterCollection() {
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { kept: heapUsed + external, rss };
}
