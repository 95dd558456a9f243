export * from './checkpoint-error.js';
export { fromTorch, fromTorchLayout, torchName, toTorch, toTorchLayout } from './torch-names.js';
export { decodeSafetensors, encodeSafetensors, readMetadata } from './safetensors.js';
export {
  decodeSnapshot,
  encodeSnapshot,
  modelFile,
  modelSha256,
  splitSnapshot,
} from './snapshot-format.js';
export { Checkpoints } from './checkpoints.js';
export type { CheckpointEntry, Found } from './checkpoints.js';
export { DirectoryStorage } from './directory/directory-storage.js';
export { parseS3Url } from './s3/s3-options.js';
export type { S3Options } from './s3/s3-options.js';
export type { RetentionPolicy } from './retention.js';
export type { CheckpointStorage } from './storage.js';
export { sha256 } from './sha256.js';
