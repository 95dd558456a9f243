import type { WorkerSnapshot } from '@skipring/cluster';
import type { WorkerView } from '@skipring/protocol';

/**
 * What users see of a worker.
 * @param imagesPerSecond while it last trained; none are told of one that does not train
 * @param nowMs of the cluster's monotonic clock
 */
export function workerView(
  { id, hello, state, jobId, rank, lanes, slow, connectedMs, lastHeartbeatMs }: WorkerSnapshot,
  imagesPerSecond: number,
  nowMs: number,
): WorkerView {
  const at = (ms: number): string => new Date(Date.now() - (nowMs - ms)).toISOString();
  return {
    id,
    host: hello.host,
    state,
    device: hello.device,
    threads: hello.threads,
    jobId,
    rank,
    lanes: [...lanes],
    slow,
    imagesPerSecond: rank === null ? 0 : imagesPerSecond,
    connectedAt: at(connectedMs),
    lastHeartbeatAt: at(lastHeartbeatMs),
  };
}
