import type { Fence, WorkerMessage } from '@skipring/protocol';
import type { Reporter } from '@skipring/trainer';

/**
 * Turns what training reports into messages to the coordinator. A state hash belongs to a step that
 * was reported before it, so it travels with the next step's report.
 */
export function makeReporter(
  fence: Fence,
  rank: number,
  send: (message: WorkerMessage) => void,
): Reporter {
  let latestHash: string | null = null;
  return {
    step({ step, parts, ringHiddenMs, ringBytes, samples, metrics }) {
      const stateHash = latestHash;
      latestHash = null;
      const ring = { ringHiddenMs, ringBytes };
      send({ type: 'step', fence, rank, step, parts, ...ring, samples, metrics, stateHash });
    },
    stateHash(_step, hash) {
      latestHash = hash;
    },
    layers(layers, statistics) {
      send({ type: 'layers', fence, layers: [...layers], statistics });
    },
    evaluation(result) {
      send({ type: 'evaluation', fence, result });
    },
  };
}
