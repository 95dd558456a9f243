/**
 * How long each process may take to stop after SIGTERM, in ms. Whoever sends the signal waits longer
 * than this before it kills.
 */
export const STOP_DEADLINES_MS = {
  /** A worker finishes its step and hands over its lanes, by default within this time... */
  workerLeave: 30_000,
  /** ...and then closes its connections; a TensorFlow call that does not return is given up. */
  workerShutDown: 8_000,
  /** The coordinator stores what was decided. Less than the ten seconds that many launchers allow. */
  coordinator: 9_000,
} as const;
