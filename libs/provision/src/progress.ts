/** One task whose length in bytes is known. */
export interface ProgressTask {
  /** Reports how many bytes of the whole are there; may fall when a download starts again. */
  update(doneBytes: number): void;
  finish(): void;
}

/** Where provisioning tells a person what it does. */
export interface ProgressReporter {
  note(message: string): void;
  begin(label: string, totalBytes: number): ProgressTask;
}

/** Tells nobody. */
export const silentProgress: ProgressReporter = {
  note: () => undefined,
  begin: () => ({ update: () => undefined, finish: () => undefined }),
};

/** The part of a stream that the reporters need; `process.stderr` fits. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
}

/** A bar that redraws itself on a terminal; on a pipe or in a log one line per tenth. */
export function createProgress(
  stream: ProgressStream,
  now: () => number = Date.now,
): ProgressReporter {
  const note = (message: string): void => {
    stream.write(`${message}\n`);
  };
  return {
    note,
    begin: (label, totalBytes) =>
      stream.isTTY === true
        ? terminalTask(stream, label, totalBytes, now)
        : lineTask(note, label, totalBytes),
  };
}

const REDRAW_MS = 100;

function terminalTask(
  stream: ProgressStream,
  label: string,
  totalBytes: number,
  now: () => number,
): ProgressTask {
  const startedMs = now();
  let drawnMs = 0;
  let firstBytes: number | undefined;
  const draw = (doneBytes: number): void => {
    firstBytes ??= doneBytes;
    const seconds = Math.max(0.001, (now() - startedMs) / 1000);
    const rate = Math.max(0, (doneBytes - firstBytes) / seconds);
    const fraction = Math.min(1, doneBytes / Math.max(1, totalBytes));
    const bar = '='.repeat(Math.round(fraction * 20)).padEnd(20, ' ');
    const text = `${label} [${bar}] ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}, ${formatBytes(rate)}/s`;
    // \x1b[K clears what an earlier, longer line left behind.
    stream.write(`\r${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}\x1b[K`);
  };
  return {
    update(doneBytes) {
      if (now() - drawnMs < REDRAW_MS) return;
      drawnMs = now();
      draw(doneBytes);
    },
    finish() {
      draw(totalBytes);
      stream.write('\n');
    },
  };
}

function lineTask(
  note: (message: string) => void,
  label: string,
  totalBytes: number,
): ProgressTask {
  let saidTenths = 0;
  note(`${label} (${formatBytes(totalBytes)})`);
  return {
    update(doneBytes) {
      const tenths = Math.floor((10 * doneBytes) / Math.max(1, totalBytes));
      // Small files are done before anybody could read a line about them.
      if (tenths === saidTenths || totalBytes < 50e6) return;
      saidTenths = tenths;
      note(`${label}: ${tenths * 10} %`);
    },
    finish: () => undefined,
  };
}

/** Bytes as people write them, with decimal units: `274 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.round(bytes / 1e3)} kB`;
}
