import { availableParallelism, cpus, totalmem } from 'node:os';

/** What a figure depends on besides the code. */
export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    node: process.versions.node,
  };
}
