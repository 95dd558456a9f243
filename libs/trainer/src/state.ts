import { START_POSITION } from '@skipring/data';
import type { EvaluationResult, Position } from '@skipring/protocol';
import { EngineError } from './engine.js';
import type { Engine, TensorData, TensorMap } from './engine.js';
import { initialExponents } from './exponents.js';
import { countTensor, SKIPPED_STEPS } from './skipped-steps.js';
import { hashState } from './state-hash.js';

/** Accuracy of the model after a step. */
export interface Score {
  readonly step: number;
  readonly accuracy: number;
}

/** What evaluations have found so far. */
export interface Scores {
  readonly last: Score | null;
  readonly best: Score | null;
}

/** All that is needed to go on with the same bits. */
export interface Snapshot {
  readonly position: Position;
  /** Parameters, moving statistics, and optimizer slots under `optimizer/...`. */
  readonly tensors: TensorMap;
  /** Fixed-point exponent of each slot, shape [numSlots]. */
  readonly exponents: Int32Array;
  readonly scores: Scores;
}

/**
 * A job's state on one worker: it outlives generations. Tensors live in the engine; they and the
 * position change together, at a commit, and at no other time while training.
 */
export class TrainingState {
  position: Position = START_POSITION;
  exponents: Int32Array;
  scores: Scores = { last: null, best: null };
  /** The newest evaluation that this worker took part in; no part of what is stored or hashed. */
  evaluation: EvaluationResult | null = null;

  /** @param engine a new engine, holding the state that the job's seed gives */
  constructor(
    readonly engine: Engine,
    /** Tensors of the state that the engine does not hold: see `initialAuxiliary`. */
    public auxiliary: TensorMap = new Map(),
  ) {
    this.exponents = initialExponents(engine.layout.slots.length);
  }

  /** Steps of this job that were skipped because a gradient was not finite. */
  get numSkipped(): number {
    return this.auxiliary.get(SKIPPED_STEPS)?.values[0] ?? 0;
  }

  set numSkipped(count: number) {
    this.auxiliary = new Map(this.auxiliary).set(SKIPPED_STEPS, countTensor(count));
  }

  /** A copy of everything, whose memory belongs to whoever takes it. */
  snapshot(): Snapshot {
    return {
      position: this.position,
      tensors: this.readTensors(),
      exponents: this.exponents.slice(),
      scores: this.scores,
    };
  }

  /** Throws EngineError STATE_MISMATCH, with nothing changed, when the snapshot is of another model. */
  restore(snapshot: Snapshot): void {
    const { length } = snapshot.exponents;
    const expected = this.exponents.length;
    if (length !== expected) {
      throw new EngineError('STATE_MISMATCH', `${length} exponents; expected ${expected}`);
    }
    const held = new Map(snapshot.tensors);
    const auxiliary = new Map<string, TensorData>();
    for (const name of this.auxiliary.keys()) {
      // Checkpoints of older versions have no count: none was skipped.
      const tensor = held.get(name) ?? (name === SKIPPED_STEPS ? countTensor(0) : undefined);
      if (tensor === undefined) throw new EngineError('STATE_MISMATCH', `${name} is missing`);
      auxiliary.set(name, tensor);
      held.delete(name);
    }
    this.engine.writeState(held);
    this.auxiliary = auxiliary;
    this.position = snapshot.position;
    this.exponents = snapshot.exponents.slice();
    this.scores = snapshot.scores;
  }

  /** SHA-256 of the state at this position. */
  hash(): string {
    return hashState(this.position, this.exponents, this.readTensors());
  }

  private readTensors(): TensorMap {
    // Copies, as the engine's are: who stores a snapshot owns its tensors.
    const auxiliary = [...this.auxiliary].map(
      ([name, { shape, values }]) => [name, { shape, values: values.slice() }] as const,
    );
    return new Map([...this.engine.readState(), ...auxiliary]);
  }
}

/** True when the snapshot's last evaluation found the best accuracy so far. */
export function isBest({ position, scores }: Pick<Snapshot, 'position' | 'scores'>): boolean {
  return scores.best?.step === position.step;
}
