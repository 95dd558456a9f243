import type { CollectiveError } from './collective-error.js';

/** Holds the first error and tells each listener once. */
export class FailureLatch {
  private error: CollectiveError | null = null;
  private readonly listeners = new Set<(error: CollectiveError) => void>();

  get failed(): CollectiveError | null {
    return this.error;
  }

  /** True if `error` is the first. */
  fail(error: CollectiveError): boolean {
    if (this.error !== null) return false;
    this.error = error;
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const listener of listeners) listener(error);
    return true;
  }

  /** Latches an end that this rank chose: there is nothing to tell. */
  close(error: CollectiveError): void {
    this.error ??= error;
    this.listeners.clear();
  }

  onFailure(listener: (error: CollectiveError) => void): () => void {
    if (this.error !== null) {
      listener(this.error);
      return () => undefined;
    }
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
