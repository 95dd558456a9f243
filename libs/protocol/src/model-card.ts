import { z } from 'zod';
import { modelSpecSchema } from './model-spec.js';

/** What travels with an exported model: all that is needed to use it without its job. */
export const modelCardSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** Id of the job that trained it. */
  job: z.string(),
  /** SHA-256 of the model's own safetensors file. */
  modelSha256: z.string(),
  model: modelSpecSchema,
  /** Images that it takes. A pixel byte is normalised as `(byte / 255 - mean) / standardDeviation`. */
  image: z.strictObject({
    height: z.int().min(1),
    width: z.int().min(1),
    channels: z.union([z.literal(1), z.literal(3)]),
    mean: z.array(z.number()),
    standardDeviation: z.array(z.number().gt(0)),
  }),
  classes: z.array(z.string()).min(2),
});
export type ModelCard = z.output<typeof modelCardSchema>;

/** Forms of others in which a trained model is given out. */
export const exportFormats = ['torch', 'tfjs', 'savedmodel'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Files that an export has. */
export const EXPORT_FILES = {
  /** safetensors with PyTorch's names and layouts; the card is its metadata `skipring`. */
  torch: ['model.safetensors'],
  /** For `tf.loadLayersModel`; the card is in its user-defined metadata. */
  tfjs: ['model.json', 'weights.bin'],
  /** A SavedModel, and the card. */
  savedmodel: ['saved_model.pb', 'skipring.json'],
} as const satisfies Record<ExportFormat, readonly string[]>;
