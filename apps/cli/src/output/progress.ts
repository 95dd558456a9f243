import type { Writable } from 'node:stream';
import type { JobEvent, JobView } from '@skipring/protocol';
import { duration, percent } from './format.js';
import type { Style } from './style.js';

const BAR_WIDTH = 24;
/** On a log, a line this often is enough. */
const LINE_INTERVAL_MS = 5_000;
/** Smoothing of images/s over steps. */
const RATE_DECAY = 0.9;

export interface ProgressTarget {
  readonly stream: Writable;
  /** A terminal shows a bar that is drawn over; anything else gets lines. */
  readonly isTerminal: boolean;
  readonly style: Style;
}

/** Shows a job's events as they come: a bar on a terminal, lines in a log. */
export class ProgressView {
  private imagesPerSecond = 0;
  private lastLineAt = 0;
  private barShown = false;

  constructor(
    private readonly target: ProgressTarget,
    private readonly totalSteps: number,
    private readonly totalEpochs: number,
  ) {}

  static of(target: ProgressTarget, job: JobView): ProgressView {
    return new ProgressView(target, job.progress.totalSteps, job.progress.totalEpochs);
  }

  show(event: JobEvent, nowMs: number = Date.now()): void {
    const { style } = this.target;
    switch (event.type) {
      case 'step':
        this.showStep(event.metrics, nowMs);
        return;
      case 'state':
        this.line(`${style('bold', event.state)}${event.reason === '' ? '' : `: ${event.reason}`}`);
        return;
      case 'generation':
        this.line(
          `generation ${event.generation}: ${event.workers.length} worker(s) from step ${event.step} (${event.reason})`,
        );
        return;
      case 'evaluation':
        this.line(
          style(
            'green',
            `epoch ${event.result.epoch}: test accuracy ${percent(event.result.accuracy)}, loss ${event.result.loss.toFixed(4)}`,
          ),
        );
        return;
      case 'checkpoint':
        this.line(
          style('dim', `checkpoint at step ${event.step}${event.best ? ' (best so far)' : ''}`),
        );
        return;
      case 'log':
        this.line(style(event.level === 'error' ? 'red' : 'yellow', event.message));
        return;
    }
  }

  /** Ends the bar's line. */
  close(): void {
    if (this.barShown) this.target.stream.write('\n');
    this.barShown = false;
  }

  private showStep(metrics: Extract<JobEvent, { type: 'step' }>['metrics'], nowMs: number): void {
    const rate = (metrics.samples / Math.max(1, metrics.stepMs)) * 1000;
    this.imagesPerSecond =
      this.imagesPerSecond === 0
        ? rate
        : RATE_DECAY * this.imagesPerSecond + (1 - RATE_DECAY) * rate;
    const left = Math.max(0, this.totalSteps - metrics.step) * metrics.samples;
    const eta = duration((left / Math.max(1e-9, this.imagesPerSecond)) * 1000);
    const text =
      `epoch ${Math.min(metrics.epoch + 1, this.totalEpochs)}/${this.totalEpochs}` +
      ` step ${metrics.step}/${this.totalSteps}` +
      ` loss ${metrics.loss.toFixed(4)} acc ${percent(metrics.accuracy)}` +
      ` ${Math.round(this.imagesPerSecond)} images/s eta ${eta}`;
    if (this.target.isTerminal) {
      const done = Math.min(1, metrics.step / Math.max(1, this.totalSteps));
      const filled = Math.round(done * BAR_WIDTH);
      const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
      this.target.stream.write(`\r\u001b[2K${this.target.style('cyan', bar)} ${text}`);
      this.barShown = true;
    } else if (nowMs - this.lastLineAt >= LINE_INTERVAL_MS || metrics.step === this.totalSteps) {
      this.lastLineAt = nowMs;
      this.line(text);
    }
  }

  private line(text: string): void {
    this.target.stream.write(this.barShown ? `\r\u001b[2K${text}\n` : `${text}\n`);
    this.barShown = false;
  }
}
