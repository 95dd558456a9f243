import { TrainerError } from './errors.js';
import { checkpointDue, evaluationDue, hashDue } from './due.js';
import { evaluate, withScore } from './evaluation.js';
import { gather, minority } from './gather.js';
import type { Generation } from './generation.js';
import { hashState } from './state-hash.js';
import { isBest } from './state.js';

// What is due is decided from the state at a position, not from having just taken a step: a
// generation that starts where another broke off does what that one still owed.

export async function evaluateIfDue(g: Generation): Promise<void> {
  if (!evaluationDue(g)) return;
  const result = await evaluate(g);
  g.state.scores = withScore(g.state.scores, result);
  if (g.collective.rank === 0) g.report.evaluation(result);
}

/**
 * Compares the replicas, and stores a checkpoint of a state that all of them hold.
 *
 * @returns the checkpoint's model hash, on rank 0, when one was stored
 */
export async function checkpointIfDue(g: Generation): Promise<string | null> {
  const { state } = g;
  if (!hashDue(g, g.hashEverySteps)) return null;
  const snapshot = state.snapshot();
  const hash = hashState(snapshot.position, snapshot.exponents, snapshot.tensors);
  await compareReplicas(g, hash);
  if (g.collective.rank !== 0 || !checkpointDue(g)) return null;

  const { step, epoch } = snapshot.position;
  const { modelSha256 } = await g.checkpoints.save(snapshot).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrainerError('CHECKPOINT_FAILED', `step ${step}: ${why}`, false, { cause });
  });
  g.report.checkpoint({ step, epoch, modelSha256, best: isBest(snapshot) });
  return modelSha256;
}

/** Throws STATE_DIVERGED, on every rank, unless all ranks hold the same state. */
async function compareReplicas(g: Generation, hash: string): Promise<void> {
  const words = new Int32Array(Uint8Array.from(Buffer.from(hash, 'hex')).buffer);
  const rows = await gather(g.collective, [...words], g.deadlineMs);
  const { step } = g.state.position;
  const diverged = minority(rows);
  if (diverged.length > 0) {
    throw new TrainerError(
      'STATE_DIVERGED',
      `step ${step}: the state of rank ${diverged.join(', ')} differs from that of the others; ` +
        'expected bit-identical replicas',
    );
  }
  g.report.stateHash(step, hash);
}
