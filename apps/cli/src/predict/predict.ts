import type { Picture, Predictor } from '@skipring/graph';
import type { Command } from 'commander';
import { parseCount } from '../commands/count.js';
import { examples } from '../commands/help.js';
import type { CommandContext, CommonFlags } from '../context.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { percent, table } from '../output/format.js';
import { systemReason } from '../system-reason.js';
import { imageFiles } from './image-files.js';

/** Images that are run together. */
const BATCH_SIZE = 32;

interface PredictFlags {
  readonly job?: string;
  readonly model?: string;
  readonly top: string;
}

/** What is found of one file: classes by falling probability, or why it cannot be read. */
export interface Prediction {
  readonly file: string;
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
  readonly error: string | null;
}

/** `predict`: classifies images by a trained model, on this machine. */
export function addPredictCommand(program: Command, context: CommandContext): void {
  program
    .command('predict')
    .description('classify PNG or JPEG images by a trained model')
    .argument('<path...>', 'images, or folders of them')
    .option('--job <job>', 'job whose model to use')
    .option('--model <file>', 'or a file of `skipring model JOB --format torch`')
    .option('--top <count>', 'classes told of each image', '3')
    .addHelpText(
      'after',
      examples(
        'skipring predict --job JOB photo.jpg',
        'skipring predict --model m.safetensors folder',
      ),
    )
    .action(async (paths: string[], _options: unknown, command: Command) => {
      await predict(context, paths, command.optsWithGlobals<CommonFlags & PredictFlags>());
    });
}

async function predict(
  context: CommandContext,
  paths: readonly string[],
  flags: CommonFlags & PredictFlags,
): Promise<void> {
  const { job, model } = flags;
  if ((job === undefined) === (model === undefined)) {
    throw new CommandError(EXIT.usage, 'expected exactly one of --job and --model');
  }
  const top = parseCount('--top', flags.top, 1, 1_000);
  const files = await imageFiles(paths);
  // Loaded here, for it takes a second that other commands need not wait.
  const graph = await import('@skipring/graph');
  const { modelOfFile, modelOfJob } = await import('./trained-model.js');
  // Before the model, or TensorFlow.js advises to do so. What oneDNN would print helps nobody here.
  await graph.loadTensorFlow({ threads: 1, device: 'cpu', oneDnn: false });
  const trained =
    job === undefined
      ? await modelOfFile(model ?? '')
      : await modelOfJob(await context.client(flags), job);
  const predictor = graph.Predictor.of(trained);
  const predictions: Prediction[] = [];
  for (let first = 0; first < files.length; first += BATCH_SIZE) {
    context.interrupted.throwIfAborted();
    const batch = files.slice(first, first + BATCH_SIZE);
    predictions.push(...(await predictBatch(predictor, batch, trained.card.classes, top)));
    if (files.length > BATCH_SIZE) context.tell(`${predictions.length} of ${files.length} images`);
  }
  predictor.dispose();
  context.show(flags, predictions, () => describePredictions(predictions, top));
  const bad = predictions.filter(({ error }) => error !== null);
  if (bad.length > 0) {
    const lines = bad.map(({ file, error }) => `\n  ${file}: ${error ?? ''}`).join('');
    throw new CommandError(
      EXIT.usage,
      `${bad.length} of ${files.length} files cannot be read${lines}`,
    );
  }
}

async function predictBatch(
  predictor: Predictor,
  files: readonly string[],
  classes: readonly string[],
  top: number,
): Promise<Prediction[]> {
  const { readPicture } = await import('@skipring/data/files');
  const read = await Promise.all(
    files.map(
      async (file): Promise<{ file: string; picture: Picture | null; error: string | null }> => {
        try {
          return { file, picture: await readPicture(file), error: null };
        } catch (error) {
          const isSystem = error instanceof Error && 'syscall' in error;
          const reason = isSystem ? systemReason(error) : String((error as Error).message);
          return { file, picture: null, error: reason };
        }
      },
    ),
  );
  const pictures = read.flatMap(({ picture }) => (picture === null ? [] : [picture]));
  const found = pictures.length === 0 ? [] : predictor.predict(pictures);
  return read.map(({ file, picture, error }) => {
    const probabilities = picture === null ? undefined : found.shift();
    return { file, classes: best(probabilities ?? new Float32Array(), classes, top), error };
  });
}

function best(
  probabilities: Float32Array,
  classes: readonly string[],
  top: number,
): Prediction['classes'] {
  return Array.from(probabilities, (probability, index) => ({
    name: classes[index] ?? String(index),
    probability,
  }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}

/** A line for each image that could be read. */
export function describePredictions(predictions: readonly Prediction[], top: number): string {
  const rows = predictions
    .filter(({ error }) => error === null)
    .map(({ file, classes }) => [
      file,
      ...classes.map(({ name, probability }) => `${name} ${percent(probability)}`),
    ]);
  const others = Array.from({ length: Math.max(0, top - 1) }, (_, index) => `${index + 2}.`);
  return table(['FILE', 'CLASS', ...others], rows);
}
