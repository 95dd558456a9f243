type Listener = () => void;

/** Wakes those who follow a job. Events themselves are read from the store. */
export class EventHub {
  private readonly listeners = new Map<string, Set<Listener>>();

  publish(jobId: string): void {
    for (const listener of this.listeners.get(jobId) ?? []) listener();
  }

  /** Resolves at the next event of the job, after `timeoutMs`, or when the signal fires. */
  next(jobId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const listeners = this.listeners.get(jobId) ?? new Set();
      this.listeners.set(jobId, listeners);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        listeners.delete(done);
        if (listeners.size === 0 && this.listeners.get(jobId) === listeners) {
          this.listeners.delete(jobId);
        }
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      listeners.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}
