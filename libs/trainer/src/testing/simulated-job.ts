import { jobSpecSchema } from '@skipring/protocol';
import type { EvaluationResult, JobSpec, JobSpecInput, LayerStatistics } from '@skipring/protocol';
import { initialAuxiliary } from '../auxiliary.js';
import type { LaneBatch } from '../engine.js';
import type { BatchSource, Collective, DueCheckpoint, StepReport } from '../ports.js';
import { TrainingState } from '../state.js';
import type { Snapshot } from '../state.js';
import { hashState } from '../state-hash.js';
import { synchroniseState } from '../synchronise.js';
import { trainGeneration } from '../train-generation.js';
import type { GenerationOutcome } from '../train-generation.js';
import { ArithmeticEngine } from './arithmetic-engine.js';
import { InProcessRing } from './in-process-collective.js';
import type { FaultPlan } from './in-process-collective.js';
import { MemoryBatches } from './memory-batches.js';

export const NUM_FEATURES = 5;
export const NUM_CLASSES = 3;

/** What trains a generation's ranks together. */
export interface SimulatedRing {
  readonly collectives: readonly Collective[];
  /** Fails the operation in progress and all later ones. */
  abort(message: string): void;
}

export interface SimulatedGeneration {
  /** Lanes of each rank. */
  readonly lanes: readonly (readonly number[])[];
  /** Which of the job's workers has each rank; 0, 1, 2, ... when absent. */
  readonly workers?: readonly number[];
  readonly faults?: FaultPlan;
  /** In place of an InProcessRing with `faults`. */
  readonly ring?: SimulatedRing;
  /** Runs before training, once all ranks' states are equal. */
  readonly tamper?: (states: readonly TrainingState[]) => void;
  readonly signal?: AbortSignal;
}

/** A job on in-process ranks and an arithmetic engine, generation after generation. */
export class SimulatedJob {
  readonly spec: JobSpec;
  readonly steps: StepReport[] = [];
  readonly evaluations: EvaluationResult[] = [];
  /** Of layers, with the rank that told of them. */
  readonly statistics: { readonly rank: number; readonly statistics: LayerStatistics }[] = [];
  readonly snapshots: Snapshot[] = [];
  readonly hashes = new Map<number, Set<string>>();
  private readonly states = new Map<number, TrainingState>();

  constructor(
    spec: Partial<JobSpecInput>,
    private readonly options: {
      readonly numSamples: number;
      readonly alter?: (batch: LaneBatch, epoch: number, step: number, lane: number) => void;
      readonly onSample?: (epoch: number, stepInEpoch: number, sample: number) => void;
      /** Into how many the vector is cut; default 1. */
      readonly numBuckets?: 1 | 2;
      /** Default true. */
      readonly overlaps?: boolean;
      /** A worker's batches, in place of MemoryBatches; NUM_FEATURES values in an image. */
      readonly batchesOf?: (worker: number) => BatchSource;
    },
  ) {
    this.spec = jobSpecSchema.parse({
      apiVersion: 'skipring/v1',
      name: 'simulated',
      model: { family: 'resnet-cifar', depth: 8 },
      data: { dataSet: 'made-up' },
      training: { epochs: 2 },
      lanes: { count: 4, size: 4 },
      ...spec,
    });
  }

  /** The state of a worker; a new worker starts from the seed. */
  stateOf(worker: number): TrainingState {
    const known = this.states.get(worker);
    if (known !== undefined) return known;
    const { seed, lanes, reduction } = this.spec;
    const shape = { numFeatures: NUM_FEATURES, numClasses: NUM_CLASSES, laneSize: lanes.size };
    const engine = new ArithmeticEngine({
      ...shape,
      seed,
      reduction: reduction === 'exact' ? 'exact' : 'float32',
      numBuckets: this.options.numBuckets ?? 1,
    });
    const auxiliary = initialAuxiliary(this.spec, engine.layout, engine.readState());
    const state = new TrainingState(engine, auxiliary);
    this.states.set(worker, state);
    return state;
  }

  /** Forgets a worker's state, as its death does. */
  lose(worker: number): void {
    this.states.delete(worker);
  }

  /** Synchronises and trains one generation on all its ranks. */
  async run(generation: SimulatedGeneration): Promise<GenerationOutcome[]> {
    const { lanes, faults } = generation;
    const workers = generation.workers ?? lanes.map((_, rank) => rank);
    const states = workers.map((worker) => this.stateOf(worker));
    const ring = new InProcessRing(lanes.length);
    const furthest = Math.max(...states.map(({ position }) => position.step));
    const sourceRank = states.findIndex(({ position }) => position.step === furthest);
    await Promise.all(
      states.map((state, rank) =>
        synchroniseState({ state, collective: ring.collectives[rank]!, sourceRank, deadlineMs: 1 }),
      ),
    );
    generation.tamper?.(states);
    const training = generation.ring ?? new InProcessRing(lanes.length, faults);
    return Promise.all(
      states.map(async (state, rank) => {
        const outcome = await this.train(state, training, rank, workers[rank]!, generation);
        if (outcome.kind !== 'finished') training.abort(`rank ${rank} left`);
        return outcome;
      }),
    );
  }

  private train(
    state: TrainingState,
    ring: SimulatedRing,
    rank: number,
    worker: number,
    { lanes, signal }: SimulatedGeneration,
  ): Promise<GenerationOutcome> {
    const { numSamples } = this.options;
    const submit = ({ snapshot }: DueCheckpoint): void => {
      this.snapshots.push(snapshot);
    };
    const save = (due: DueCheckpoint): Promise<{ modelSha256: string }> => {
      submit(due);
      const { position, exponents, tensors } = due.snapshot;
      return Promise.resolve({ modelSha256: hashState(position, exponents, tensors) });
    };
    return trainGeneration({
      state,
      spec: this.spec,
      numSamples,
      numClasses: NUM_CLASSES,
      collective: ring.collectives[rank]!,
      batches: this.options.batchesOf?.(worker) ?? this.memoryBatches(),
      checkpoints: { submit, save },
      report: {
        step: (report) => this.steps.push(report),
        stateHash: (step, hash) => {
          this.hashes.set(step, (this.hashes.get(step) ?? new Set()).add(hash));
        },
        layers: (_layers, statistics) => this.statistics.push({ rank, statistics }),
        evaluation: (result) => this.evaluations.push(result),
      },
      lanes: lanes[rank]!,
      schedule: (step) => 0.1 / (1 + step),
      deadlineMs: 1_000,
      signal: signal ?? new AbortController().signal,
      hashEverySteps: 3,
      overlaps: this.options.overlaps ?? true,
    });
  }

  private memoryBatches(): BatchSource {
    const { numSamples, alter, onSample } = this.options;
    return new MemoryBatches({
      numSamples,
      numEvaluationSamples: 50,
      numFeatures: NUM_FEATURES,
      numClasses: NUM_CLASSES,
      lanes: this.spec.lanes,
      ...(onSample && { onSample }),
      ...(alter && { alter }),
    });
  }
}
