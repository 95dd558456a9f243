// Loaded before a program, in each of its threads: what a process holds is then what it uses, and not
// garbage that nothing has called for to be collected yet, which grows for minutes.
const INTERVAL_MS = 10_000;

const { gc } = globalThis;
if (gc !== undefined) setInterval(() => void gc(), INTERVAL_MS).unref();
