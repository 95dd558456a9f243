import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { messageOf } from './states.js';

const ARMED_MS = 5_000;

/** A button of something that is not undone: the first press asks, the second does it. */
export function ConfirmButton({
  title,
  question,
  act,
}: {
  readonly title: string;
  readonly question: string;
  readonly act: () => Promise<unknown>;
}): JSX.Element {
  const [isArmed, setArmed] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
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
    if (!isArmed) {
      setProblem(null);
      setArmed(true);
      return;
    }
    setArmed(false);
    setBusy(true);
    try {
      await act();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <span class="confirm">
      <button
        type="button"
        class={isArmed ? 'danger armed' : 'danger'}
        disabled={isBusy}
        onClick={() => void press()}
      >
        {isArmed ? question : title}
      </button>
      {problem !== null && (
        <span class="field-error" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
