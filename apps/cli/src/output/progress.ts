import type { Writable } from 'node:stream';
import { describeStraggler, Throughput, type JobEvent, type JobView } from '@skipring/protocol';
import { epochNumber } from './epoch.js';
import { duration, percent } from './format.js';
import type { Style } from './style.js';

const BAR_WIDTH = 24;
/** A narrower bar says nothing. */
const MIN_BAR_WIDTH = 5;
/** On a log, a line this often is enough. */
const LINE_INTERVAL_MS = 5_000;

export interface ProgressTarget {
  readonly stream: Writable;
  /** A terminal shows a bar that is drawn over; anything else gets lines. */
  readonly isTerminal: boolean;
  /** Width of the terminal in characters. */
  readonly columns: () => number;
  readonly style: Style;
}

type Metrics = Extract<JobEvent, { type: 'step' }>['metrics'];

/**
 * Shows a job's events as they come: what passes (waiting, preparing, steps) in one line that is
 * drawn over on a terminal and as lines in a log; what stays true (evaluations, ends) as lines.
 */
export class ProgressView {
  private readonly throughput = new Throughput();
  private lastLineMs = 0;
  private passingShown = false;

  constructor(
    private readonly target: ProgressTarget,
    private readonly totalSteps: number,
    private readonly totalEpochs: number,
  ) {}

  static of(target: ProgressTarget, job: JobView): ProgressView {
    return new ProgressView(target, job.progress.totalSteps, job.progress.totalEpochs);
  }

  show(event: JobEvent): void {
    const { style } = this.target;
    switch (event.type) {
      case 'step':
        this.showStep(event.metrics, Date.parse(event.time));
        return;
      case 'state':
        this.showState(event);
        return;
      case 'generation':
        this.line(`training from step ${event.step} on ${event.workers.join(', ')}`);
        return;
      case 'evaluation': {
        const { epoch, accuracy, loss } = event.result;
        this.line(
          style(
            'green',
            `${this.epochText(epoch)}: test accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)}`,
          ),
        );
        return;
      }
      case 'checkpoint':
        this.line(
          style('dim', `checkpoint at step ${event.step}${event.best ? ' (best so far)' : ''}`),
        );
        return;
      case 'fault':
        this.line(style('yellow', faultText(event)));
        return;
      case 'straggler':
        this.line(style('yellow', describeStraggler(event)));
        return;
      case 'log':
        this.line(style(event.level === 'error' ? 'red' : 'yellow', event.message));
        return;
    }
  }

  /** Ends the line that is drawn over. */
  close(): void {
    if (this.passingShown) this.target.stream.write('\n');
    this.passingShown = false;
  }

  private showState({ state, reason }: Extract<JobEvent, { type: 'state' }>): void {
    const { style } = this.target;
    switch (state) {
      case 'pending':
      case 'waiting':
      case 'pausing':
      case 'cancelling':
        this.passing(`${state}: ${reason}`);
        return;
      case 'running':
        // Its members load and connect; that they train is an event of its own.
        this.passing(`preparing ${reason}`);
        return;
      case 'paused':
      case 'succeeded':
      case 'failed':
      case 'cancelled':
        this.line(`${style('bold', state)}${reason === '' ? '' : `: ${reason}`}`);
        return;
    }
  }

  private showStep(metrics: Metrics, timeMs: number): void {
    this.throughput.observe(metrics.samples, metrics.stepMs);
    const isLast = metrics.step === this.totalSteps;
    if (this.target.isTerminal) this.bar(metrics);
    else if (timeMs - this.lastLineMs >= LINE_INTERVAL_MS || isLast) {
      this.lastLineMs = timeMs;
      this.line(this.stepText(metrics));
    }
  }

  private stepText(metrics: Metrics): string {
    const { imagesPerSecond } = this.throughput;
    const etaMs = this.throughput.etaMs(Math.max(0, this.totalSteps - metrics.step));
    return (
      `${this.epochText(metrics.epoch)} step ${metrics.step}/${this.totalSteps}` +
      ` loss ${metrics.loss.toFixed(4)} acc ${percent(metrics.accuracy)}` +
      ` ${Math.round(imagesPerSecond)} images/s eta ${etaMs === null ? '-' : duration(etaMs)}`
    );
  }

  private epochText(epoch: number): string {
    return `epoch ${epochNumber(epoch, this.totalEpochs)}/${this.totalEpochs}`;
  }

  /** As wide as the terminal allows: a line that wraps could not be drawn over. */
  private bar(metrics: Metrics): void {
    const { style, columns } = this.target;
    const text = this.stepText(metrics);
    const width = Math.min(BAR_WIDTH, columns() - text.length - 2);
    if (width < MIN_BAR_WIDTH) {
      this.over(text.slice(0, Math.max(0, columns() - 1)));
      return;
    }
    const done = Math.min(1, metrics.step / Math.max(1, this.totalSteps));
    const filled = Math.round(done * width);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
    this.over(`${style('cyan', bar)} ${text}`);
  }

  private passing(text: string): void {
    const { isTerminal, style, columns } = this.target;
    if (!isTerminal) this.line(text);
    else this.over(style('dim', text.slice(0, Math.max(0, columns() - 1))));
  }

  private over(text: string): void {
    this.target.stream.write(`\r\u001b[2K${text}`);
    this.passingShown = true;
  }

  private line(text: string): void {
    this.target.stream.write(this.passingShown ? `\r\u001b[2K${text}\n` : `${text}\n`);
    this.passingShown = false;
  }
}

function faultText({ state, fault, workerId }: Extract<JobEvent, { type: 'fault' }>): string {
  const where = fault.kind === 'fillDisk' ? '' : ` at rank ${fault.rank} in ${fault.phase}`;
  const whom = workerId === null ? '' : ` (${workerId})`;
  return `fault ${state}: ${fault.kind} at step ${fault.step}${where}${whom}`;
}
