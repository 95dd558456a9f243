import { useState } from 'preact/hooks';
import { messageOf } from './states.js';

export interface Action {
  readonly isBusy: boolean;
  /** Why it failed the last time; null: it did not. */
  readonly problem: string | null;
  readonly run: () => Promise<void>;
  readonly forgetProblem: () => void;
}

/** Something that takes its time and may fail. */
export function useAction(act: () => Promise<unknown>): Action {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const forgetProblem = (): void => {
    setProblem(null);
  };
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await act();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run, forgetProblem };
}
