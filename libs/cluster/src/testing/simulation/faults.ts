/**
 * `all`: workers die, freeze, lose their connection, come back and leave, and coordinators restart.
 * `graceful`: they come and leave, generations break and coordinators restart, but no worker is lost;
 * then no committed step may be lost either.
 */
export type Faults = 'all' | 'graceful';

/** What can go wrong in a turn. */
export type Fault =
  | 'none'
  | 'die'
  | 'cut'
  | 'connect'
  | 'connectAnew'
  | 'freeze'
  | 'wake'
  | 'abort'
  | 'drain'
  | 'cancel'
  | 'pause'
  | 'resume'
  | 'restart';

type Weights = Partial<Record<Fault, number>>;

/** Chances in a turn; what is left of 1 is no fault. */
const WEIGHTS: Record<Faults, Weights> = {
  all: {
    die: 0.01,
    cut: 0.01,
    connect: 0.1,
    connectAnew: 0.004,
    freeze: 0.01,
    wake: 0.05,
    abort: 0.01,
    drain: 0.01,
    cancel: 0.002,
    pause: 0.002,
    resume: 0.002,
    restart: 0.004,
  },
  graceful: {
    connect: 0.1,
    abort: 0.02,
    drain: 0.05,
    pause: 0.01,
    resume: 0.02,
    restart: 0.006,
  },
};

/** The fault that a number in [0, 1) stands for. */
export function drawFault(faults: Faults, number: number): Fault {
  let left = number;
  for (const [fault, weight] of Object.entries(WEIGHTS[faults]) as [Fault, number][]) {
    if (left < weight) return fault;
    left -= weight;
  }
  return 'none';
}
