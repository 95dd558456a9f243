import type { CheckpointResult, Fence, StepMetrics, StepParts } from '@skipring/protocol';
import { Registry } from 'prom-client';
import { deviceMetrics, workerProcessMetrics } from './definitions.js';
import { createInstruments, type Instruments } from './instruments.js';
import { addProcessMetrics } from './process-metrics.js';
import { partSeconds, wholeSeconds } from './step-parts.js';

/** What a rank knows of a committed step. */
export interface RankStep {
  readonly step: number;
  readonly parts: StepParts;
  /** Milliseconds that the ring worked while this rank computed; absent: none. */
  readonly ringHiddenMs?: number | undefined;
  /** Bytes that this rank sent on the ring for this step. */
  readonly ringBytes: number;
  /** Samples that this rank computed. */
  readonly samples: number;
  /** Global results; rank 0 alone has them. */
  readonly metrics: StepMetrics | null;
}

/** What a GPU's driver tells of it. */
export interface DeviceReading {
  /** The model, such as "NVIDIA H100 80GB HBM3". */
  readonly device: string;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  /** From 0 to 1. */
  readonly utilization: number;
}

/** The metrics of a worker process. Calls are cheap, never throw and never block. */
export class WorkerMetrics {
  readonly registry = new Registry();
  private readonly instruments: Instruments<typeof workerProcessMetrics>;
  private readonly devices: Instruments<typeof deviceMetrics>;

  constructor() {
    this.instruments = createInstruments(workerProcessMetrics, this.registry);
    this.devices = createInstruments(deviceMetrics, this.registry);
    addProcessMetrics(this.registry);
    this.leaveGeneration();
    this.setConnected(false);
  }

  observeStep({ step, parts, ringHiddenMs = 0, ringBytes, samples, metrics }: RankStep): void {
    const seconds = wholeSeconds(parts);
    this.instruments.step.set(step);
    this.instruments.stepDuration.observe(seconds);
    for (const { part, seconds: partTime } of partSeconds(parts)) {
      this.instruments.partDuration.observe({ part }, partTime);
    }
    this.instruments.ringBytes.inc(ringBytes);
    const ringMs = ringHiddenMs + parts.ringMs;
    if (ringBytes > 0 && ringMs > 0) this.instruments.ringHidden.set(ringHiddenMs / ringMs);
    this.instruments.samples.inc(samples);
    if (seconds > 0) this.instruments.imagesPerSecond.set(samples / seconds);
    if (metrics === null) return;
    this.instruments.epoch.set(metrics.epoch);
    this.instruments.loss.set(metrics.loss);
    this.instruments.accuracy.set(metrics.accuracy);
    this.instruments.learningRate.set(metrics.learningRate);
  }

  enterGeneration(fence: Fence, rank: number, worldSize: number): void {
    this.instruments.generation.set(fence.generation);
    this.instruments.rank.set(rank);
    this.instruments.worldSize.set(worldSize);
  }

  leaveGeneration(): void {
    this.instruments.rank.set(-1);
    this.instruments.worldSize.set(0);
    this.instruments.imagesPerSecond.set(0);
  }

  observeDevice({ device, memoryBytes, memoryLimitBytes, utilization }: DeviceReading): void {
    this.devices.memory.set({ device }, memoryBytes);
    this.devices.memoryLimit.set({ device }, memoryLimitBytes);
    this.devices.utilization.set({ device }, utilization);
  }

  countAbort(): void {
    this.instruments.aborts.inc();
  }

  countStateHash(): void {
    this.instruments.stateHashes.inc();
  }

  /** What became of a checkpoint, and how long it held training. */
  observeCheckpoint(result: CheckpointResult, heldMs: number): void {
    this.instruments.checkpoints.inc({ result });
    this.instruments.checkpointHeld.observe(heldMs / 1_000);
  }

  /** @param computeSilentMs milliseconds since the compute thread last answered */
  observeHeartbeat(computeSilentMs: number): void {
    this.instruments.heartbeats.inc();
    this.instruments.computeSilence.set(computeSilentMs / 1_000);
  }

  setConnected(connected: boolean): void {
    this.instruments.connected.set(connected ? 1 : 0);
  }
}

/** A registry of its own with all metrics of a worker. */
export function workerMetrics(): WorkerMetrics {
  return new WorkerMetrics();
}
