/** A model that cannot be built or run as asked; the message names the field, its value and what was expected. */
export class ModelError extends Error {
  readonly code = 'MODEL_INVALID';
  override readonly name = 'ModelError';
}
