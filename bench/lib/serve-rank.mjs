/**
 * The process of one rank: connects when it is told all addresses, then runs what `prepare` gives as
 * often as it is asked, after a barrier, and answers with the milliseconds of each run and the processor
 * time of all; where `looks` is set, also with its memory after a collection of garbage, for which Node.js needs `--expose-gc`.
 */
export function serveRank({ address, connect, prepare, barrier }) {
  let prepared = { case: null, run: null };
  process.on('message', async ({ addresses, iterations, looks = false, ...request }) => {
    if (addresses !== undefined) {
      await connect(addresses);
      process.send({ connected: true });
      return;
    }
    const key = JSON.stringify(request);
    if (prepared.case !== key) prepared = { case: key, run: prepare(request) };
    const elapsedMs = [];
    await barrier();
    const before = process.cpuUsage();
    let last = performance.now();
    for (let iteration = 0; iteration < iterations; iteration++) {
      await prepared.run();
      const now = performance.now();
      elapsedMs.push(now - last);
      last = now;
    }
    const { user, system } = process.cpuUsage(before);
    process.send({
      elapsedMs,
      userMs: user / 1e3,
      systemMs: system / 1e3,
      memory: looks ? memoryAfterCollection() : null,
    });
  });
  process.on('disconnect', () => process.exit());
  process.send({ ready: { address } });
}

/** Bytes: what is in use on the heap and outside of it, and what the system has given to the process. */
function memoryAfterCollection() {
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { kept: heapUsed + external, rss };
}
