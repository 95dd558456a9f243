export * from './checkpoint-error.js';
export { decodeSafetensors, encodeSafetensors } from './safetensors.js';
export {
  decodeSnapshot,
  encodeSnapshot,
  modelFile,
  modelSha256,
  splitSnapshot,
} from './snapshot-format.js';
export { DirectoryCheckpoints } from './directory-checkpoints.js';
export type { CheckpointEntry, LoadedCheckpoint } from './directory-checkpoints.js';
export { sha256 } from './sha256.js';
