import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { decodeSafetensors, encodeSafetensors, toTorch } from '@skipring/checkpoint';
import { layersModel, savedModel } from '@skipring/graph/export';
import type { ExportFormat, ModelCard } from '@skipring/protocol';

/** What the thread is started with. */
export interface ExportThreadData {
  readonly format: ExportFormat;
  readonly card: ModelCard;
  /** The model's own safetensors file. */
  readonly model: Uint8Array;
  /** Is there whole or not at all. */
  readonly outDir: string;
}

/** The only message of the thread, which ends after it. */
export type ExportThreadMessage =
  { readonly kind: 'exported' } | { readonly kind: 'failed'; readonly message: string };

const { format, card, model, outDir } = workerData as ExportThreadData;

/** Made of the model's file and topology alone: the native TensorFlow is not loaded. */
function files(): Readonly<Record<string, Uint8Array>> {
  const tensors = decodeSafetensors(model);
  const text = JSON.stringify(card);
  switch (format) {
    case 'torch': {
      const torch = toTorch(tensors, card.model.family);
      return { 'model.safetensors': encodeSafetensors(torch, { format: 'pt', skipring: text }) };
    }
    case 'tfjs':
      return { ...layersModel({ card, tensors }) };
    case 'savedmodel':
      return {
        'saved_model.pb': savedModel({ card, tensors }),
        'skipring.json': Buffer.from(text),
      };
  }
}

async function write(): Promise<void> {
  const partial = `${outDir}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  for (const [name, bytes] of Object.entries(files())) await writeFile(join(partial, name), bytes);
  await rm(outDir, { recursive: true, force: true });
  await rename(partial, outDir);
}

const message: ExportThreadMessage = await write().then(
  () => ({ kind: 'exported' }),
  (error: unknown) => ({
    kind: 'failed',
    message: error instanceof Error ? error.message : String(error),
  }),
);
parentPort?.postMessage(message);
