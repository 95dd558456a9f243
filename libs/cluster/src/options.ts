/** Deadlines and limits of the cluster; times in milliseconds. */
export interface ClusterOptions {
  /** A worker silent for this long is dead. */
  readonly heartbeatTimeoutMs: number;
  /** So is one whose compute thread has not answered for this long. */
  readonly computeSilenceLimitMs: number;
  /** From `prepare` to `ready`: loading data, compiling, connecting the ring. */
  readonly readyDeadlineMs: number;
  /** From `stop` to `stopped`, a checkpoint included. */
  readonly stopDeadlineMs: number;
  /** From the first `finished` of a generation to the last. */
  readonly finishDeadlineMs: number;
  /** Idle workers join a running job at most this often, all in one generation. */
  readonly growthIntervalMs: number;
  /** How long a job that ran before the coordinator restarted waits for the workers that it had. */
  readonly rejoinGraceMs: number;
  /** After an abort: the cause, a peer's closed connection, mostly arrives within this time. */
  readonly abortGraceMs: number;
  /** An attempt fails when its generations broke this often with no committed step in between. */
  readonly brokenLimit: number;
  /** Committed steps between two changes of a job on account of a slow worker. */
  readonly reliefIntervalSteps: number;
  /** Steps of a generation that are looked at together to find a slow worker. */
  readonly stragglerWindowSteps: number;
}

export const DEFAULT_CLUSTER_OPTIONS: ClusterOptions = {
  heartbeatTimeoutMs: 5_000,
  computeSilenceLimitMs: 60_000,
  readyDeadlineMs: 120_000,
  stopDeadlineMs: 30_000,
  finishDeadlineMs: 120_000,
  growthIntervalMs: 1_000,
  rejoinGraceMs: 6_000,
  abortGraceMs: 200,
  brokenLimit: 5,
  reliefIntervalSteps: 100,
  stragglerWindowSteps: 20,
};
