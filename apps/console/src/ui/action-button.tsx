import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { messageOf } from './states.js';

/** A button that waits for what it started, and tells when that failed. */
export function ActionButton({
  act,
  children,
  kind = '',
}: {
  readonly act: () => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | '';
}): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const press = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
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
      <button type="button" class={kind} disabled={isBusy} onClick={() => void press()}>
        {children}
      </button>
      {problem !== null && (
        <span class="field-error" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
