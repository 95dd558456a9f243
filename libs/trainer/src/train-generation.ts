import { SharedMemory } from '@skipring/collective';
import type { Position } from '@skipring/protocol';
import { checkpointIfDue, evaluateIfDue, tellEvaluationAgain } from './at-position.js';
import { systemClock } from './clock.js';
import { commit } from './commit.js';
import { TrainerError } from './errors.js';
import { gather } from './gather.js';
import { probeNorms, reportLayers } from './layer-statistics.js';
import type { Generation, GenerationOptions } from './generation.js';
import { reduceStep, seekPosition } from './reduce-step.js';
import { describe, describePeriod } from './step-report.js';
import { Stopwatch } from './stopwatch.js';
import { trainCompressed } from './compression/train-compressed.js';
import { isReduced } from './sync/periods.js';
import { trainPeriod } from './sync/train-period.js';
import { totalSteps } from './total-steps.js';

/** How a rank left a generation. Its state is that of `position`, its last committed step. */
export type GenerationOutcome =
  | { readonly kind: 'finished'; readonly position: Position; readonly modelSha256: string }
  /** `signal` fired. */
  | { readonly kind: 'stopped'; readonly position: Position }
  | {
      readonly kind: 'aborted';
      readonly position: Position;
      readonly error: Error;
      /** The error's stable code; INTERNAL for one without. */
      readonly code: string;
      /** Another try fails the same way. */
      readonly fatal: boolean;
      /** The engine holds no position's state and must be loaded anew. */
      readonly stateLost: boolean;
    };

/**
 * Trains from the state's position to the end of the job, or until a rank leaves. Never rejects: the
 * outcome names the error. The caller then closes the ring, which makes the other ranks leave, and
 * after a new rendezvous calls `synchroniseState` and this again with the same state.
 */
export async function trainGeneration(options: GenerationOptions): Promise<GenerationOutcome> {
  const g = begin(options);
  const { state, report } = g;
  try {
    seekPosition(g);
    tellEvaluationAgain(g);
    for (;;) {
      await evaluateIfDue(g);
      const modelSha256 = await checkpointIfDue(g);
      if (state.position.step === g.totalSteps) return await finish(g, modelSha256);
      g.signal.throwIfAborted();

      const watch = new Stopwatch(g.clock);
      const before = { position: state.position, bytesSent: g.collective.bytesSent };
      if (isReduced(g.spec, state.position.step)) {
        const learningRate = g.schedule(state.position.step);
        const step = await reduceStep(g, watch);
        const norms = await watch.time('applyMs', () => probeNorms(g, step));
        await watch.time('applyMs', async () => {
          await g.onPhase('apply', state.position.step + 1);
          commit(g, step, learningRate);
        });
        report.step(describe(g, before, step, learningRate, watch));
        reportLayers(g, before.position.epoch, step.activations, norms);
      } else {
        const isCompressed = g.spec.sync.mode === 'allReduce';
        const period = await (isCompressed ? trainCompressed(g, watch) : trainPeriod(g, watch));
        for (const step of describePeriod(g, before, period, watch)) report.step(step);
      }
    }
  } catch (error) {
    return leave(g, error);
  }
}

function begin(options: GenerationOptions): Generation {
  const { engine } = options.state;
  const { length } = engine.layout;
  const { buffer, dataOffset } = SharedMemory.allocate(length * Int32Array.BYTES_PER_ELEMENT);
  return {
    hashEverySteps: 50,
    overlaps: true,
    clock: systemClock,
    onPhase: () => undefined,
    ...options,
    vector:
      engine.reduction === 'exact'
        ? new Int32Array(buffer, dataOffset, length)
        : new Float32Array(buffer, dataOffset, length),
    totalSteps: totalSteps(options.spec, options.numSamples),
  };
}

/**
 * Tells every rank the final model's hash: a rank that finished knows that the model is stored. Then
 * waits for the others, so that no ring is closed while a hash is on its way; when that wait fails,
 * the hash is known all the same.
 */
async function finish(g: Generation, modelSha256: string | null): Promise<GenerationOutcome> {
  const digest = new Uint8Array(new SharedArrayBuffer(32));
  if (modelSha256 !== null) digest.set(Buffer.from(modelSha256, 'hex'));
  await g.collective.broadcast(digest, 0, g.deadlineMs);
  await gather(g.collective, [1], g.deadlineMs).catch(() => undefined);
  const told = Buffer.from(digest).toString('hex');
  return { kind: 'finished', position: g.state.position, modelSha256: told };
}

function leave(g: Generation, thrown: unknown): GenerationOutcome {
  const { position } = g.state;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL';
  const stateLost = code === 'APPLY_FAILED';
  if (g.signal.aborted && !stateLost) return { kind: 'stopped', position };
  const fatal = error instanceof TrainerError && error.fatal;
  return { kind: 'aborted', position, error, code, fatal, stateLost };
}
