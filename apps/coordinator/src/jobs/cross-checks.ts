import { globalBatchSize } from '@skipring/data';
import {
  checkTopology,
  MAX_LAYER_ENTRIES,
  pointer,
  valueAt,
  valueText,
  type DataSetManifest,
  type FieldError,
  type JobSpec,
  type ModelSpec,
} from '@skipring/protocol';
import { totalsOf } from './totals.js';

/** An evaluation's confusion matrix has a row and a column for each class. */
export const MAX_CLASSES = 1_000;

/** What a spec asks that this data set cannot give; every problem, each with its field. */
export function checkAgainstDataSet(spec: JobSpec, manifest: DataSetManifest): FieldError[] {
  return [
    ...checkLanes(spec, manifest),
    ...checkImages(spec, manifest),
    ...checkClasses(spec, manifest),
    ...checkModel(spec, manifest),
    ...checkWarmup(spec, manifest),
    ...checkStatistics(spec, manifest),
  ];
}

/** What contradicts itself in a spec whatever the data set. */
export function checkAlone({ training: { schedule } }: JobSpec): FieldError[] {
  if (schedule.kind !== 'step') return [];
  const { milestones } = schedule;
  const isRising = milestones.every(
    (milestone, index) => index === 0 || milestone > (milestones[index - 1] ?? 0),
  );
  return isRising
    ? []
    : [error('/training/schedule/milestones', milestones, 'numbers in rising order')];
}

function checkLanes({ lanes }: JobSpec, { splits }: DataSetManifest): FieldError[] {
  const numSamples = splits.train.samples;
  if (globalBatchSize(lanes) <= numSamples) return [];
  const expected = `lanes.count * lanes.size of at most ${numSamples}, the training samples`;
  return [error('/lanes', lanes, expected)];
}

function checkImages(spec: JobSpec, { height, width }: DataSetManifest): FieldError[] {
  const side = Math.min(height, width);
  const errors: FieldError[] = [];
  const { cropPadding } = spec.data.augmentation;
  if (cropPadding >= side) {
    errors.push(
      error(
        '/data/augmentation/cropPadding',
        cropPadding,
        `less than ${side}, the smaller side of the images`,
      ),
    );
  }
  const smallest = smallestSide(spec.model);
  if (side < smallest) {
    errors.push(
      error(
        '/model',
        spec.model,
        `a model for images of ${height} x ${width}; this one needs at least ${smallest} x ${smallest}`,
      ),
    );
  }
  return errors;
}

/** Image side that leaves at least one pixel after all strides of the network. */
function smallestSide(model: ModelSpec): number {
  switch (model.family) {
    case 'resnet-cifar':
    case 'wide-resnet':
    case 'densenet-cifar':
      return 4;
    case 'resnet':
      return model.stem === 'imagenet' ? 32 : 8;
    case 'densenet':
      return 32;
    case 'layers':
      return 1;
  }
}

/** A model of the user's own: whether its layers fit the images, the classes and one another. */
function checkModel(spec: JobSpec, manifest: DataSetManifest): FieldError[] {
  if (spec.model.family !== 'layers') return [];
  const { height, width, channels, classes } = manifest;
  const { topology } = spec.model;
  const problems = checkTopology(topology, [height, width, channels], classes.length);
  return problems.map(({ path, expected }) =>
    error(pointer(['model', 'topology', ...path]), valueAt(topology, path), expected),
  );
}

function checkClasses(spec: JobSpec, { classes }: DataSetManifest): FieldError[] {
  if (classes.length <= MAX_CLASSES) return [];
  const expected = `a data set of at most ${MAX_CLASSES} classes; this one has ${classes.length}`;
  return [error('/data/dataSet', spec.data.dataSet, expected)];
}

function checkWarmup(spec: JobSpec, manifest: DataSetManifest): FieldError[] {
  const { totalSteps } = totalsOf(spec, manifest);
  const { warmupSteps } = spec.training;
  if (warmupSteps <= totalSteps) return [];
  return [
    error('/training/warmupSteps', warmupSteps, `at most ${totalSteps}, the steps of the job`),
  ];
}

/** A history that is kept whole has a limit. */
function checkStatistics(spec: JobSpec, manifest: DataSetManifest): FieldError[] {
  if (spec.statistics === undefined) return [];
  const { everySteps } = spec.statistics;
  // Step 1 has an entry besides.
  const least = Math.ceil(totalsOf(spec, manifest).totalSteps / (MAX_LAYER_ENTRIES - 1));
  if (everySteps >= least) return [];
  const expected = `at least ${least}: a job keeps at most ${MAX_LAYER_ENTRIES} entries`;
  return [error('/statistics/everySteps', everySteps, expected)];
}

function error(field: string, value: unknown, expected: string): FieldError {
  return { field, value: valueText(value), expected };
}
