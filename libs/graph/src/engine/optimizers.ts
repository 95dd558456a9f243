import type { JobSpec } from '@skipring/protocol';
import { OPTIMIZER_PREFIX } from '@skipring/trainer';
import { attribute, type GraphBuilder } from '../graph-builder.js';
import { DataType, type Output } from '../graph-def.js';
import type { VariableSet } from '../variables.js';

type Training = JobSpec['training'];

/** How parameters are moved: the fields of a job's `training`. No optimizer is `sgd`. */
export type OptimizerSpec = Pick<Training, 'momentum' | 'nesterov' | 'weightDecay'> &
  Partial<Pick<Training, 'optimizer' | 'gradientClipNorm' | 'weightAverage'>>;

/** What the scalars of one update are computed from. */
export interface UpdateTime {
  readonly learningRate: number;
  /** Number of the update, from 1. */
  readonly step: number;
}

/** A scalar input of the update, float32. */
export interface UpdateScalar {
  readonly output: Output;
  readonly valueAt: (time: UpdateTime) => number;
}

/** One parameter and what moves it. */
export interface ParameterUpdate {
  readonly name: string;
  /** Name of the variable that is moved: that of the parameter, or the one it is the average of. */
  readonly variable: string;
  readonly shape: readonly number[];
  /** float32 of the parameter's shape, clipped, without decay. */
  readonly gradient: Output;
  readonly weightDecay: number;
}

interface UpdateGraph {
  readonly g: GraphBuilder;
  readonly variables: VariableSet;
  /** Declares a scalar input. */
  readonly scalar: (name: string, valueAt: UpdateScalar['valueAt']) => Output;
}

/** Adds the nodes that move one parameter; returns the name of the last. */
export type Update = (parameter: ParameterUpdate) => string;

export interface Optimizer {
  /** Kinds of values that it holds for each parameter. */
  readonly slots: readonly string[];
  readonly begin: (graph: UpdateGraph) => Update;
}

/** Name of a parameter's value of one kind, such as its velocity. */
export function slotName(slot: string, parameter: string): string {
  return `${OPTIMIZER_PREFIX}${slot}/${parameter}`;
}

export function optimizerOf(spec: OptimizerSpec): Optimizer {
  const optimizer = spec.optimizer ?? { kind: 'sgd' };
  switch (optimizer.kind) {
    case 'sgd':
      return sgd(spec);
    case 'lars':
      return lars(spec, optimizer);
    case 'adam':
      return adam(optimizer, false);
    case 'adamw':
      return adam(optimizer, true);
    case 'rmsprop':
      return rmsprop(optimizer);
  }
}

type Kind<K extends Training['optimizer']['kind']> = Extract<Training['optimizer'], { kind: K }>;

const T = attribute.type(DataType.float32);
const use_locking = attribute.bool(false);

/** `v = momentum * v + g`, `w -= learningRate * (nesterov ? g + momentum * v : v)`, as in PyTorch. */
function sgd(spec: OptimizerSpec): Optimizer {
  return {
    slots: ['velocity'],
    begin: (graph) => {
      const step = momentumStep(graph, spec);
      return (parameter) => step(parameter, withDecay(graph, parameter));
    },
  };
}

/**
 * SGD with a rate of its own for each tensor that decays (You et al. 2017): the gradient with decay
 * is multiplied by `trustCoefficient * |w| / (|g| + weightDecay * |w| + epsilon)`, or by 1 where w
 * or g is all zero.
 */
function lars(spec: OptimizerSpec, { trustCoefficient, epsilon }: Kind<'lars'>): Optimizer {
  return {
    slots: ['velocity'],
    begin: (graph) => {
      const { g, variables } = graph;
      const step = momentumStep(graph, spec);
      return (parameter) => {
        const decayed = withDecay(graph, parameter);
        if (parameter.weightDecay === 0) return step(parameter, decayed);
        const { gradient, shape, variable, weightDecay } = parameter;
        const weightNorm = normOf(g, [g.flatten(variables.read(variable), shape)]);
        const gradientNorm = normOf(g, [g.flatten(gradient, shape)]);
        const penalty = g.binary('Mul', weightNorm, g.floats([weightDecay], []));
        const sum = g.binary('AddV2', gradientNorm, penalty);
        const denominator = g.binary('AddV2', sum, g.floats([epsilon], []));
        const trusted = g.binary('Mul', weightNorm, g.floats([trustCoefficient], []));
        const ratio = g.binary('RealDiv', trusted, denominator);
        const smallest = g.binary('Minimum', weightNorm, gradientNorm);
        const isPositive = g.binary('Greater', smallest, g.floats([0], []));
        const rate = g.add('SelectV2', [isPositive, ratio, g.floats([1], [])], { T });
        return step(parameter, g.binary('Mul', decayed, rate));
      };
    },
  };
}

/**
 * Adam (Kingma and Ba 2015) as PyTorch defines it, with the decay in the gradient, or decoupled from
 * it (Loshchilov and Hutter 2019). TensorFlow's kernel adds epsilon before the bias correction of
 * the second moment and PyTorch after it, so both corrections are in the scalars.
 */
function adam({ beta1, beta2, epsilon }: Kind<'adam' | 'adamw'>, decoupled: boolean): Optimizer {
  // What float32 makes of the betas is what the moments are made of, so it is what corrects them.
  const [first, second] = [Math.fround(beta1), Math.fround(beta2)];
  const secondCorrection = (step: number): number => Math.sqrt(1 - second ** step);
  return {
    slots: ['firstMoment', 'secondMoment'],
    begin: (graph) => {
      const { g, variables, scalar } = graph;
      const rate = scalar(
        'correctedRate',
        ({ learningRate, step }) => (learningRate * secondCorrection(step)) / (1 - first ** step),
      );
      const corrected = scalar('correctedEpsilon', ({ step }) => epsilon * secondCorrection(step));
      const learningRate = decoupled ? scalar('learningRate', (time) => time.learningRate) : '';
      const [zero, b1, b2] = [0, beta1, beta2].map((value) => g.floats([value], []));
      return (parameter) => {
        const { name, variable, weightDecay } = parameter;
        const handle = variables.handle(variable);
        const before: string[] = [];
        if (decoupled && weightDecay > 0) {
          const share = g.binary('Mul', learningRate, g.floats([weightDecay], []));
          const decay = g.binary('Mul', variables.read(variable), share);
          const node = g.node('AssignSubVariableOp', [handle, decay], { dtype: T });
          before.push(`^${node}`);
        }
        const gradient = decoupled ? parameter.gradient : withDecay(graph, parameter);
        const moments = ['firstMoment', 'secondMoment'].map((slot) =>
          variables.handle(slotName(slot, name)),
        );
        // Powers of zero: the kernel's own correction is 1.
        const scalars = [zero, zero, rate, b1, b2, corrected].map(String);
        return g.node('ResourceApplyAdam', [handle, ...moments, ...scalars, gradient, ...before], {
          T,
          use_locking,
          use_nesterov: attribute.bool(false),
        });
      };
    },
  };
}

/**
 * RMSProp (Tieleman and Hinton 2012) as TensorFlow defines it: `s = decay * s + (1 - decay) * g^2`,
 * `v = momentum * v + learningRate * g / sqrt(s + epsilon)`, `w -= v`.
 */
function rmsprop({ decay, momentum, epsilon }: Kind<'rmsprop'>): Optimizer {
  return {
    slots: ['meanSquare', 'velocity'],
    begin: (graph) => {
      const { g, variables, scalar } = graph;
      const rate = scalar('learningRate', ({ learningRate }) => learningRate);
      const constants = [decay, momentum, epsilon].map((value) => g.floats([value], []));
      return (parameter) => {
        const handles = ['meanSquare', 'velocity'].map((slot) =>
          variables.handle(slotName(slot, parameter.name)),
        );
        const gradient = withDecay(graph, parameter);
        const inputs = [
          variables.handle(parameter.variable),
          ...handles,
          rate,
          ...constants,
          gradient,
        ];
        return g.node('ResourceApplyRMSProp', inputs, { T, use_locking });
      };
    },
  };
}

function momentumStep(
  { g, variables, scalar }: UpdateGraph,
  { momentum, nesterov }: OptimizerSpec,
): (parameter: ParameterUpdate, gradient: Output) => string {
  const rate = scalar('learningRate', ({ learningRate }) => learningRate);
  const kept = g.floats([momentum], []);
  return ({ name, variable }, gradient) =>
    g.node(
      'ResourceApplyMomentum',
      [
        variables.handle(variable),
        variables.handle(slotName('velocity', name)),
        rate,
        gradient,
        kept,
      ],
      { T, use_locking, use_nesterov: attribute.bool(nesterov) },
    );
}

function withDecay(
  { g, variables }: UpdateGraph,
  { variable, gradient, weightDecay }: ParameterUpdate,
): Output {
  if (weightDecay === 0) return gradient;
  const decay = g.binary('Mul', variables.read(variable), g.floats([weightDecay], []));
  return g.binary('AddV2', gradient, decay);
}

/** The 2-norm of vectors taken together, float32 scalar. */
export function normOf(g: GraphBuilder, vectors: readonly Output[]): Output {
  const sums = vectors.map((vector) => g.reduce('Sum', g.unary('Square', vector)));
  return g.unary('Sqrt', g.reduce('Sum', g.pack(sums, DataType.float32)));
}
