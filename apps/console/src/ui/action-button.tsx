import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useAction } from './use-action.js';

const ARMED_MS = 5_000;

/**
 * A button that waits for what it started, and tells when that failed. With a question the first press
 * asks and the second acts: for what is not undone.
 */
export function ActionButton({
  act,
  children,
  kind = '',
  question,
}: {
  readonly act: () => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'danger' | '';
  readonly question?: string;
}): JSX.Element {
  const [isArmed, setArmed] = useState(false);
  const { isBusy, problem, run, forgetProblem } = useAction(act);
  useEffect(() => {
    if (!isArmed) return;
    const timer = setTimeout(() => {
      setArmed(false);
    }, ARMED_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [isArmed]);

  const press = async (): Promise<void> => {
    forgetProblem();
    if (question !== undefined && !isArmed) {
      setArmed(true);
      return;
    }
    setArmed(false);
    await run();
  };
  return (
    <span class="action">
      <button
        type="button"
        class={isArmed ? `${kind} armed` : kind}
        disabled={isBusy}
        onClick={() => void press()}
      >
        {isArmed ? question : children}
      </button>
      {problem !== null && (
        <span class="field-error" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
