import { TrainerError } from './errors.js';
import { checkpointDue, evaluationDue, hashDue } from './due.js';
import { evaluate, withScore } from './evaluation.js';
import { gather, minority } from './gather.js';
import type { Generation } from './generation.js';
import { hashState } from './state-hash.js';

// What is due is decided from the state at a position, not from having just taken a step: a
// generation that starts where another broke off does what that one still owed.

export async function evaluateIfDue(g: Generation): Promise<void> {
  if (!evaluationDue(g)) return;
  const result = await evaluate(g);
  g.state.scores = withScore(g.state.scores, result);
  g.state.evaluation = result;
  if (g.collective.rank === 0) g.report.evaluation(result);
}

/** A coordinator may have gone with the report of an evaluation that is not done again. */
export function tellEvaluationAgain({ state, collective, report }: Generation): void {
  const { evaluation, scores } = state;
  if (collective.rank !== 0 || evaluation === null) return;
  if (evaluation.step === scores.last?.step) report.evaluation(evaluation);
}

/**
 * Compares the replicas, and has a checkpoint stored of a state that all of them hold. Training is
 * held for the copy and the comparison; only the last checkpoint is waited for.
 *
 * @returns the model's hash, on rank 0, when the last checkpoint is stored
 */
export async function checkpointIfDue(g: Generation): Promise<string | null> {
  const { state, totalSteps } = g;
  if (!hashDue(g, g.hashEverySteps)) return null;
  const begunMs = g.clock.now();
  const snapshot = state.snapshot();
  const hash = hashState(snapshot.position, snapshot.exponents, snapshot.tensors);
  await compareReplicas(g, hash);
  if (!checkpointDue(g)) return null;
  await g.onPhase('checkpoint', state.position.step);
  if (g.collective.rank !== 0) return null;

  const { step } = snapshot.position;
  const due = { snapshot, heldMs: g.clock.now() - begunMs };
  if (step < totalSteps) {
    g.checkpoints.submit(due);
    return null;
  }
  const { modelSha256 } = await g.checkpoints.save(due).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrainerError('CHECKPOINT_FAILED', `step ${step}: ${why}`, false, { cause });
  });
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
