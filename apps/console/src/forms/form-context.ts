import type { FieldError } from '@skipring/protocol';

/** What all fields of a form share. */
export interface FormContext {
  /** By JSON pointer. */
  readonly errors: ReadonlyMap<string, FieldError>;
  /** Values to choose from where the schema takes any text, by JSON pointer. */
  readonly suggestions: ReadonlyMap<string, readonly string[]>;
  /** JSON pointer of the object that is the whole of the form; absent: that of everything. */
  readonly root?: string;
}
