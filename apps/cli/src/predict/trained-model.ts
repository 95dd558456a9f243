import { readFile } from 'node:fs/promises';
import { decodeSafetensors, fromTorch, readMetadata } from '@skipring/checkpoint';
import type { SkipringClient } from '@skipring/client';
import type { TrainedModel } from '@skipring/graph';
import { tensorShapes } from '@skipring/graph/export';
import { modelCardSchema } from '@skipring/protocol';
import { CommandError, EXIT } from '../exit-codes.js';
import { systemReason } from '../system-reason.js';

/** A job's model, from the coordinator. */
export async function modelOfJob(client: SkipringClient, jobId: string): Promise<TrainedModel> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await client.modelFile(jobId, 'torch', 'model.safetensors')) {
    chunks.push(chunk);
  }
  return trainedModel(Buffer.concat(chunks), `the model of ${jobId}`);
}

/** Throws CommandError `usage` for a file that is no export in the form `torch`. */
export async function modelOfFile(path: string): Promise<TrainedModel> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new CommandError(EXIT.usage, `--model ${path}: ${systemReason(cause)}`, null, { cause });
  }
  return trainedModel(bytes, `--model ${path}`);
}

function trainedModel(bytes: Uint8Array, source: string): TrainedModel {
  try {
    const card = modelCardSchema.parse(JSON.parse(readMetadata(bytes).get('skipring') ?? ''));
    const shapes = tensorShapes(card);
    return { card, tensors: fromTorch(decodeSafetensors(bytes), card.model.family, shapes) };
  } catch (cause) {
    throw new CommandError(
      EXIT.usage,
      `${source}: expected a file of \`skipring model JOB --format torch\`, with its card`,
      null,
      { cause },
    );
  }
}
