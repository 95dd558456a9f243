import type { ClusterEffect, ClusterInput } from '../../messages.js';

const NUM_LINES = 60;

/** The last things that happened, in words, for a failure that is to be understood. */
export class Trace {
  private readonly lines: [number, () => string][] = [];

  note(nowMs: number, line: string): void {
    this.add(nowMs, () => line);
  }

  input(nowMs: number, input: ClusterInput): void {
    if (input.type === 'tick') return;
    if (input.type === 'workerMessage' && input.message.type === 'heartbeat') return;
    this.add(nowMs, () => `-> ${inputText(input)}`);
  }

  effect(nowMs: number, effect: ClusterEffect): void {
    if (effect.type === 'rankStep') return;
    this.add(nowMs, () => `   <- ${effectText(effect)}`);
  }

  text(): string {
    return this.lines.map(([nowMs, line]) => `${nowMs} ms ${line()}`).join('\n');
  }

  /** Texts are made only for a failure. */
  private add(nowMs: number, line: () => string): void {
    this.lines.push([nowMs, line]);
    if (this.lines.length > NUM_LINES) this.lines.shift();
  }
}

function inputText(input: ClusterInput): string {
  switch (input.type) {
    case 'workerMessage':
      return `${input.workerId}: ${short(input.message)}`;
    case 'workerConnected':
      return `${input.hello.workerId} connects, holds ${JSON.stringify(input.hello.held)}`;
    case 'jobQueued':
      return `${input.job.id} attempt ${input.job.attempt} from ${input.job.checkpointStep}`;
    default:
      return short(input);
  }
}

function effectText(effect: ClusterEffect): string {
  return effect.type === 'send' ? `${effect.workerId}: ${short(effect.message)}` : short(effect);
}

const LONG = new Set(['spec', 'dataSet', 'parts', 'metrics', 'ringToken', 'host', 'port']);

function short(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => (LONG.has(key) ? undefined : item));
}
