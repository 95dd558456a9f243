import type { StragglerPolicy } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import type { ClusterEffect } from '../messages.js';
import { DEFAULT_CLUSTER_OPTIONS } from '../options.js';
import { ClusterBench, ofType, sent } from '../testing/fixture.js';

const { stragglerWindowSteps: WINDOW_STEPS } = DEFAULT_CLUSTER_OPTIONS;
const LANE_MS = 20;
const INTERVAL_STEPS = 60;

interface Setup {
  readonly stragglers: StragglerPolicy;
  readonly workers?: readonly string[];
  readonly max?: number;
  readonly min?: number;
  readonly lanes?: number;
}

/** A job that trains on the first `max` of the workers. */
class Training {
  readonly bench = new ClusterBench({ reliefIntervalSteps: INTERVAL_STEPS });
  /** How many times as long as usual a lane takes a worker. */
  readonly slowness = new Map<string, number>();
  private step = 0;

  constructor({ stragglers, workers = ['a', 'b'], max = 2, min = 1, lanes = 8 }: Setup) {
    this.bench.connect(...workers);
    this.bench.queue('job', { stragglers, max, min, lanes });
    this.bench.allReady('job');
  }

  get lanes(): Record<string, number> {
    const members = this.bench.cluster.workers().filter(({ rank }) => rank !== null);
    return Object.fromEntries(members.map(({ id, lanes }) => [id, lanes.length]));
  }

  get generation(): number {
    return this.bench.fence('job').generation;
  }

  /** All members make so many steps; a generation that is prepared meanwhile begins at once. */
  train(numSteps: number): ClusterEffect[] {
    const { bench } = this;
    const effects: ClusterEffect[] = [];
    for (let index = 0; index < numSteps; index += 1) {
      const { generation } = this;
      this.step += 1;
      const { lanes } = this;
      for (const id of bench.members('job')) {
        if (this.generation !== generation) break;
        const computeMs = LANE_MS * lanes[id]! * (this.slowness.get(id) ?? 1);
        effects.push(...bench.step(id, 'job', this.step, null, computeMs));
      }
      if (this.generation === generation) continue;
      for (const { workerId, message } of sent(bench.effects, 'stop')) {
        bench.send(workerId, { type: 'stopped', fence: message.fence });
      }
      effects.push(...bench.allReady('job', this.step));
    }
    return effects;
  }
}

describe('a slow worker', () => {
  it('is named with rank, host and part, and again when it keeps up: nothing else changes', () => {
    const training = new Training({ stragglers: 'report' });
    training.slowness.set('b', 3);
    const effects = training.train(WINDOW_STEPS * 2);
    expect(ofType(effects, 'stragglerSeen')).toEqual([
      {
        type: 'stragglerSeen',
        fence: training.bench.fence('job'),
        state: 'slow',
        straggler: { workerId: 'b', rank: 1, host: 'localhost', part: 'compute', ratio: 3 },
      },
    ]);
    const slowOf = (id: string) => training.bench.cluster.workers().find((w) => w.id === id)?.slow;
    expect(slowOf('b')).toEqual({ part: 'compute', ratio: 3 });
    expect(slowOf('a')).toBeNull();
    training.slowness.clear();
    expect(ofType(training.train(WINDOW_STEPS * 2), 'stragglerSeen')).toMatchObject([
      { state: 'recovered', straggler: { workerId: 'b' } },
    ]);
    expect(slowOf('b')).toBeNull();
    expect(training.generation).toBe(1);
  });

  it('of a job with one worker is none', () => {
    const training = new Training({ stragglers: 'replace', max: 1 });
    training.slowness.set('a', 50);
    expect(ofType(training.train(WINDOW_STEPS * 2), 'stragglerSeen')).toEqual([]);
  });
});

describe('lanes shared by pace', () => {
  it('leave the slow worker fewer, and are kept by generations for other reasons', () => {
    const training = new Training({ stragglers: 'rebalance' });
    training.slowness.set('b', 3);
    const effects = training.train(WINDOW_STEPS * 2);
    expect(ofType(effects, 'stragglerSeen')).toHaveLength(1);
    expect(training.lanes).toEqual({ a: 6, b: 2 });
    expect(ofType(effects, 'generationStarted')).toMatchObject([
      { reason: expect.stringContaining('shared by the pace of their owners') as string },
    ]);
    const { bench } = training;
    bench.disconnect('a');
    bench.allReady('job', 40);
    bench.connect('c');
    bench.tick(1_000, 'b', 'c');
    expect(training.lanes).toEqual({ b: 2, c: 6 });
  });

  it('change at most once in so many steps, and go back when it has recovered', () => {
    const training = new Training({ stragglers: 'rebalance' });
    training.slowness.set('b', 3);
    training.train(WINDOW_STEPS + 1);
    expect(training.lanes).toEqual({ a: 6, b: 2 });
    training.slowness.clear();
    training.train(INTERVAL_STEPS - 2);
    expect(training.lanes).toEqual({ a: 6, b: 2 });
    training.train(3);
    expect(training.lanes).toEqual({ a: 4, b: 4 });
    training.train(3 * INTERVAL_STEPS);
    expect(training.generation).toBe(3);
  });

  it('stay as they are where each worker has one, and that is told once', () => {
    const training = new Training({ stragglers: 'rebalance', lanes: 2 });
    training.slowness.set('b', 9);
    const effects = training.train(WINDOW_STEPS * 3);
    expect(training.generation).toBe(1);
    expect(ofType(effects, 'noticeGiven').map(({ message }) => message)).toEqual([
      'worker b is slow and keeps its lanes: another sharing would gain too little',
    ]);
  });
});

describe('a spare', () => {
  const trio = { stragglers: 'replace', workers: ['a', 'b', 'c'] } as const;

  it('takes the place of a slow worker, which becomes the spare and is not taken back at once', () => {
    const training = new Training(trio);
    expect(training.bench.members('job')).toEqual(['a', 'b']);
    training.slowness.set('b', 4);
    const effects = training.train(WINDOW_STEPS * 2);
    expect(training.bench.members('job')).toEqual(['a', 'c']);
    expect(sent(effects, 'load').map(({ workerId }) => workerId)).toEqual(['c']);
    expect(ofType(effects, 'generationStarted')[0]?.reason).toMatch(
      /^worker c takes the place of b, which is slow: /,
    );
    expect(training.bench.cluster.workers().find(({ id }) => id === 'b')?.state).toBe('idle');
    // The new one is slow as well: the first may not come back yet, so nobody can.
    training.slowness.set('c', 4);
    training.train(INTERVAL_STEPS - WINDOW_STEPS);
    expect(training.bench.members('job')).toEqual(['a', 'c']);
    training.slowness.delete('b');
    training.train(WINDOW_STEPS + 2);
    expect(training.bench.members('job')).toEqual(['a', 'b']);
  });

  it('that is missing is told of once; one that comes later takes over', () => {
    const training = new Training({ stragglers: 'replace' });
    training.slowness.set('b', 4);
    const effects = training.train(WINDOW_STEPS * 3);
    expect(ofType(effects, 'noticeGiven').map(({ message }) => message)).toEqual([
      'worker b is slow and stays: no spare worker is idle',
    ]);
    training.bench.connect('c');
    training.train(2);
    expect(training.bench.members('job')).toEqual(['a', 'c']);
  });

  it('is no worker that another job waits for, nor one that can not load the job', () => {
    const wanted = new Training(trio);
    wanted.bench.queue('other', { min: 2 });
    wanted.slowness.set('b', 4);
    wanted.train(WINDOW_STEPS * 2);
    expect(wanted.bench.members('job')).toEqual(['a', 'b']);

    const training = new Training(trio);
    training.bench.loadAtOnce = false;
    training.slowness.set('b', 4);
    training.train(WINDOW_STEPS * 2);
    expect(training.generation).toBe(1);
    training.bench.loaded('c', training.bench.fence('job'), 'no such file');
    training.train(WINDOW_STEPS);
    expect(training.generation).toBe(1);
  });

  it('never leaves without the newest state stored or held by another', () => {
    const training = new Training(trio);
    training.slowness.set('b', 4);
    const effects = training.train(WINDOW_STEPS * 2);
    const [stop] = sent(effects, 'stop');
    expect(stop).toMatchObject({ workerId: 'b', message: { checkpoint: false } });
    const [started] = ofType(effects, 'generationStarted');
    const steps = effects
      .slice(0, effects.indexOf(started!))
      .flatMap((effect) => (effect.type === 'stepCommitted' ? effect.metrics.step : []));
    expect(started?.step).toBeGreaterThanOrEqual(Math.max(...steps));
  });

  it('that was replaced is taken back at once when the job lacks workers', () => {
    const training = new Training({ ...trio, min: 2 });
    training.slowness.set('b', 4);
    training.train(WINDOW_STEPS * 2);
    expect(training.bench.members('job')).toEqual(['a', 'c']);
    training.bench.disconnect('a');
    expect(training.bench.members('job')).toEqual(['c', 'b']);
  });
});
