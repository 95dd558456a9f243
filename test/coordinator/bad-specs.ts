import { waitingJob } from '../support/coordinator.js';

/** A field that is told about: JSON pointer and a part of what was expected. */
export type Fault = readonly [field: string, expected: string];

export interface BadSpec {
  readonly name: string;
  readonly spec: unknown;
  readonly faults: readonly Fault[];
}

const valid = waitingJob();
const { training, lanes, data } = valid;

const change =
  (changes: object) =>
  (name: string, ...faults: Fault[]): BadSpec => ({ name, spec: { ...valid, ...changes }, faults });
const training_ = (changes: object) => change({ training: { ...training, ...changes } });
const without = (field: string, ...faults: Fault[]): BadSpec => ({
  name: `no ${field}`,
  spec: Object.fromEntries(Object.entries(valid).filter(([key]) => key !== field)),
  faults,
});

/** Each with all that is wrong with it; nothing else may be told. */
export const badSpecs: readonly BadSpec[] = [
  { name: 'an array', spec: [], faults: [['', 'an object']] },
  { name: 'null', spec: null, faults: [['', 'an object']] },
  { name: 'a number', spec: 7, faults: [['', 'an object']] },
  change({ gpus: 4 })('an unknown field', ['/gpus', 'no such field']),
  change({ 'a/b~c': 1 })('an unknown field that a pointer must escape', [
    '/a~1b~0c',
    'no such field',
  ]),

  without('apiVersion', ['/apiVersion', '"skipring/v1"']),
  change({ apiVersion: 'skipring/v2' })('another API version', ['/apiVersion', '"skipring/v1"']),
  without('name', ['/name', 'a string']),
  change({ name: 7 })('a name that is a number', ['/name', 'a string']),
  change({ name: '' })(
    'an empty name',
    ['/name', 'at least 1 characters'],
    ['/name', 'lower case letters, digits and dashes'],
  ),
  change({ name: '../../etc' })('a name that is a path', ['/name', 'lower case letters']),
  change({ name: 'x'.repeat(64) })('a name that is too long', ['/name', 'at most 63 characters']),

  without('model', ['/model', 'an object']),
  change({ model: { family: 'vgg', depth: 8 } })('an unknown model family', [
    '/model/family',
    'one of "resnet-cifar", "resnet", "wide-resnet", "densenet-cifar", "densenet", "layers"',
  ]),
  change({
    model: {
      family: 'layers',
      topology: {
        class_name: 'Sequential',
        config: {
          layers: [{ class_name: 'Lambda', config: { name: 'evil', function: 'exit()' } }],
        },
      },
    },
  })('a model with a layer of code', [
    '/model/topology/config/layers/0/class_name',
    'one of "InputLayer", "Conv2D"',
  ]),
  change({
    model: {
      family: 'layers',
      topology: {
        class_name: 'Sequential',
        config: {
          layers: [
            { class_name: 'Flatten', config: { name: 'flat' } },
            { class_name: 'Dense', config: { name: 'top', units: 3 } },
          ],
        },
      },
    },
  })('a model of another number of classes', [
    '/model/topology/config/layers/1/config/units',
    'an output of [12], the classes of the data set; layer top yields [3]',
  ]),
  change({ model: { family: 'resnet-cifar', depth: 9 } })('a depth that does not exist', [
    '/model/depth',
    'one of 8, 14, 20, 32, 44, 56, 110, 164, 1001, 1202',
  ]),
  change({ model: { family: 'resnet', depth: 20 } })('a depth of the other family', [
    '/model/depth',
    'one of 18, 34, 50, 101, 152',
  ]),
  change({ model: { family: 'resnet', depth: 18, stem: 'large' } })('an unknown stem', [
    '/model/stem',
    'one of "imagenet", "small"',
  ]),
  change({ model: { family: 'resnet-cifar', depth: 8, stem: 'small' } })(
    'a field of the other family',
    ['/model/stem', 'no such field'],
  ),
  change({ model: { family: 'resnet-cifar', depth: 8, shortcuts: 'yes' } })(
    'shortcuts that are a string',
    ['/model/shortcuts', 'a boolean'],
  ),

  change({ model: { family: 'resnet', depth: 18, preActivation: true, zeroInitGamma: true } })(
    'a last batch norm where there is none',
    ['/model/zeroInitGamma', 'no zeroInitGamma with preActivation'],
  ),
  change({ model: { family: 'wide-resnet', depth: 17, width: 4 } })('a depth between two', [
    '/model/depth',
    '6n + 4, such as 16, 28 or 40',
  ]),
  change({ model: { family: 'densenet-cifar', depth: 40, bottleneck: true, growthRate: 0 } })(
    'layers that add nothing, of an impossible number',
    ['/model/growthRate', 'at least 1'],
  ),
  change({ model: { family: 'densenet-cifar', depth: 99, bottleneck: true } })(
    'a depth that bottlenecks do not give',
    ['/model/depth', '3n + 4, such as 40, or with bottleneck 6n + 4, such as 100'],
  ),

  without('data', ['/data', 'an object']),
  change({ data: {} })('no data set', ['/data/dataSet', 'a string']),
  change({ data: { dataSet: '/etc/passwd' } })('a data set that is a path', [
    '/data/dataSet',
    'lower case letters, digits and dashes',
  ]),
  change({ data: { ...data, augmentation: { cropPadding: 17 } } })('too much padding', [
    '/data/augmentation/cropPadding',
    'at most 16',
  ]),
  change({ data: { ...data, augmentation: { flip: 1 } } })('a flip that is a number', [
    '/data/augmentation/flip',
    'a boolean',
  ]),
  change({ data: { ...data, augmentation: { rotate: true } } })('an unknown augmentation', [
    '/data/augmentation/rotate',
    'no such field',
  ]),

  without('training', ['/training', 'an object']),
  change({ training: {} })('neither epochs nor steps', [
    '/training/epochs',
    'exactly one of epochs and steps',
  ]),
  training_({ steps: 5 })('epochs and steps', [
    '/training/epochs',
    'exactly one of epochs and steps',
  ]),
  training_({ epochs: 0 })('no epoch', ['/training/epochs', 'at least 1']),
  training_({ epochs: 1.5 })('half an epoch', ['/training/epochs', 'an integer']),
  training_({ learningRate: 0 })('a learning rate of zero', [
    '/training/learningRate',
    'more than 0',
  ]),
  training_({ learningRate: null })('a learning rate of null', [
    '/training/learningRate',
    'a number',
  ]),
  change({
    statistics: { everySteps: 1 },
    sync: { mode: 'localSgd', replicas: 2, everySteps: 4 },
  })('statistics where no gradient is reduced', [
    '/statistics',
    'none: replicas of this sync.mode',
  ]),
  change({
    sync: { mode: 'allReduce', compression: { kind: 'powerSgd', matrixRank: 0 } },
  })('thin matrices without columns', ['/sync/compression/matrixRank', 'at least 1']),
  change({
    sync: { mode: 'allReduce', compression: { kind: 'powerSgd' } },
    reduction: 'bfloat16',
  })('compression of what is sent as bfloat16', ['/reduction', 'exact: sync.compression']),
  change({
    sync: { mode: 'allReduce', compression: { kind: 'topK', fraction: 0.49 } },
  })('a compression that makes gradients larger', [
    '/sync/compression/fraction',
    'less than 1 / (2 lanes.count)',
  ]),
  change({
    statistics: { everySteps: 1 },
    sync: { mode: 'allReduce', compression: { kind: 'topK', fraction: 0.01 } },
  })('statistics of a gradient that is compressed', ['/statistics', 'or it is compressed']),
  change({
    sync: { mode: 'localSgd', replicas: 2, compression: { kind: 'powerSgd' } },
  })('compression of what is no gradient', ['/sync/compression', 'no such field']),
  change({
    sync: { mode: 'localSgd', replicas: 2, optimizerState: 'reset' },
    training: { ...training, optimizer: { kind: 'adam' } },
  })('moments of Adam that begin at zero again', ['/sync/optimizerState', 'average or keep']),
  change({ statistics: { everySteps: 0 } })('statistics at no step', [
    '/statistics/everySteps',
    'at least 1',
  ]),
  change({
    statistics: { everySteps: 2 },
    training: { ...training, epochs: undefined, steps: 9_999 },
  })('statistics of more steps than are kept', [
    '/statistics/everySteps',
    'at least 6: a job keeps at most 2000 entries',
  ]),
  training_({ warmupSteps: -1 })('a negative warm-up', ['/training/warmupSteps', 'at least 0']),
  training_({ momentum: 1 })('a momentum of one', ['/training/momentum', 'less than 1']),
  training_({ optimizer: { kind: 'adagrad' } })('an unknown optimizer', [
    '/training/optimizer/kind',
    'one of "sgd", "lars", "adam", "adamw", "rmsprop"',
  ]),
  training_({ optimizer: { kind: 'adam', beta1: 1 } })('a moment that never changes', [
    '/training/optimizer/beta1',
    'less than 1',
  ]),
  training_({ optimizer: { kind: 'adamw' }, momentum: 0.5, nesterov: false })(
    'momentum of an optimizer without it',
    ['/training/momentum', 'none: this optimizer does not use training.momentum'],
    ['/training/nesterov', 'none: this optimizer does not use training.nesterov'],
  ),
  training_({ gradientClipNorm: 0 })('a gradient clipped to nothing', [
    '/training/gradientClipNorm',
    'more than 0',
  ]),
  training_({ nesterov: 'true' })('nesterov as a string', ['/training/nesterov', 'a boolean']),
  training_({ weightDecay: 2 })('too much weight decay', ['/training/weightDecay', 'at most 1']),
  training_({ weightAverage: { decay: 1 } })('an average that never moves', [
    '/training/weightAverage/decay',
    'less than 1',
  ]),
  training_({ nonFiniteLimit: -1 })('a negative limit of skipped steps', [
    '/training/nonFiniteLimit',
    'at least 0',
  ]),
  training_({ labelSmoothing: -0.1 })('negative label smoothing', [
    '/training/labelSmoothing',
    'at least 0',
  ]),
  training_({ optimiser: 'sgd' })('an unknown field of training', [
    '/training/optimiser',
    'no such field',
  ]),
  training_({ schedule: { kind: 'linear' } })('an unknown schedule', [
    '/training/schedule/kind',
    'one of "constant", "step", "cosine"',
  ]),
  training_({ schedule: { kind: 'constant', factor: 0.1 } })('a constant schedule with a factor', [
    '/training/schedule/factor',
    'no such field',
  ]),
  training_({ schedule: { kind: 'step' } })('a step schedule without milestones', [
    '/training/schedule/milestones',
    'an array',
  ]),
  training_({ schedule: { kind: 'step', milestones: [] } })('a step schedule of no steps', [
    '/training/schedule/milestones',
    'at least 1 items',
  ]),
  training_({ schedule: { kind: 'step', milestones: [0.5, 1] } })('a milestone at the end', [
    '/training/schedule/milestones/1',
    'less than 1',
  ]),
  training_({ schedule: { kind: 'step', milestones: [0.75, 0.5] } })('milestones that fall', [
    '/training/schedule/milestones',
    'rising order',
  ]),
  training_({ schedule: { kind: 'step', milestones: [0.5], factor: 1 } })(
    'a step that changes nothing',
    ['/training/schedule/factor', 'less than 1'],
  ),
  training_({ schedule: { kind: 'cosine', finalFraction: 2 } })('a cosine that rises', [
    '/training/schedule/finalFraction',
    'at most 1',
  ]),

  change({ lanes: { ...lanes, count: 0 } })(
    'no lanes',
    ['/lanes/count', 'at least 1'],
    ['/workers/min', 'at most lanes.count workers'],
  ),
  change({ lanes: { ...lanes, size: 4097 } })('lanes that are too large', [
    '/lanes/size',
    'at most 4096',
  ]),
  change({ lanes: { ...lanes, width: 2 } })('an unknown field of lanes', [
    '/lanes/width',
    'no such field',
  ]),
  change({ lanes: { count: 8, size: 64 } })('a global batch larger than the data', [
    '/lanes',
    'at most 20, the training samples',
  ]),

  change({ workers: { min: 2, max: 1 } })('more workers at least than at most', [
    '/workers/min',
    'min to be at most max',
  ]),
  change({ workers: { min: 3, max: 4 } })('more workers than lanes', [
    '/workers/min',
    'at most lanes.count workers',
  ]),
  change({ workers: { stragglers: 'kill' } })('an unknown policy for slow workers', [
    '/workers/stragglers',
    'one of "report", "rebalance", "replace"',
  ]),
  change({ workers: { tf32: 'off' } })('TF32 as a word', ['/workers/tf32', 'a boolean']),
  change({ workers: { threads: 0 } })('no threads', ['/workers/threads', 'at least 1']),
  change({ workers: { max: '4' } })('workers as a string', ['/workers/max', 'a number']),
  change({ checkpoints: { everySteps: 0 } })('a checkpoint every zero steps', [
    '/checkpoints/everySteps',
    'at least 1',
  ]),
  change({ checkpoints: { keep: 101 } })('too many checkpoints', [
    '/checkpoints/keep',
    'at most 100',
  ]),
  change({ evaluation: { everyEpochs: -1 } })('a negative number of epochs', [
    '/evaluation/everyEpochs',
    'at least 0',
  ]),
  change({ evaluation: true })('evaluation as a boolean', ['/evaluation', 'an object']),
  change({ reduction: 'float16' })('an unknown reduction', [
    '/reduction',
    'one of "exact", "float32"',
  ]),
  change({ precision: 'float16' })('an unknown precision', [
    '/precision',
    'one of "float32", "bfloat16"',
  ]),
  change({ priority: 101 })('too high a priority', ['/priority', 'at most 100']),
  change({ retries: { limit: -1 } })('a negative number of retries', [
    '/retries/limit',
    'at least 0',
  ]),
  change({ retries: { backoffMs: 3_600_001 } })('too long a pause', [
    '/retries/backoffMs',
    'at most 3600000',
  ]),
  change({ seed: -1 })('a negative seed', ['/seed', 'at least 0']),
  change({ seed: 2 ** 31 })('a seed beyond 31 bits', ['/seed', 'at most 2147483647']),
  change({ delayMs: 604_800_001 })('a delay of more than a week', [
    '/delayMs',
    'at most 604800000',
  ]),

  change({
    name: 'Upper Case',
    model: { family: 'resnet-cifar', depth: 7 },
    training: { epochs: -1, learningRate: 'fast', colour: 'red' },
    lanes: { count: 'many', size: 0 },
    seed: 0.5,
  })(
    'many problems at once',
    ['/name', 'lower case letters'],
    ['/model/depth', 'one of 8'],
    ['/training/epochs', 'at least 1'],
    ['/training/learningRate', 'a number'],
    ['/training/colour', 'no such field'],
    ['/lanes/count', 'a number'],
    ['/lanes/size', 'at least 1'],
    ['/seed', 'an integer'],
  ),
  change({
    data: { ...data, augmentation: { cropPadding: 16 } },
    lanes: { count: 8, size: 64 },
    training: {
      epochs: 1,
      warmupSteps: 50,
      schedule: { kind: 'step', milestones: [0.9, 0.1] },
    },
  })(
    'many problems with the data set',
    ['/training/schedule/milestones', 'rising order'],
    ['/lanes', 'at most 20'],
    ['/training/warmupSteps', 'the steps of the job'],
  ),
  change({ data: { dataSet: 'nowhere' } })('a data set that is not registered', [
    '/data/dataSet',
    'a registered data set',
  ]),
];
