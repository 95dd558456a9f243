import { Fragment, type ComponentChildren, type JSX } from 'preact';
import { useState } from 'preact/hooks';

/** A form that is folded away until it is wanted, and empty again once it was sent. */
export function FoldedForm({
  title,
  action,
  problem,
  send,
  children,
}: {
  readonly title: string;
  /** What its button says. */
  readonly action: string;
  /** What is wrong and has no field. */
  readonly problem: string | null;
  /** Resolves to whether that was done. */
  readonly send: () => Promise<boolean>;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const [numSent, setNumSent] = useState(0);
  const submit = async (
    event: Event & { readonly currentTarget: HTMLFormElement },
  ): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    const isDone = await send();
    setBusy(false);
    if (isDone) setNumSent(numSent + 1);
    else form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  };
  return (
    <details class="card">
      <summary>
        <h2>{title}</h2>
      </summary>
      <form class="fields" noValidate onSubmit={(event) => void submit(event)}>
        {/* Controls that are not bound to their value begin anew with it. */}
        <Fragment key={numSent}>{children}</Fragment>
        {problem !== null && (
          <p class="field-error" role="alert">
            {problem}
          </p>
        )}
        <div>
          <button type="submit" class="primary" disabled={isBusy}>
            {action}
          </button>
        </div>
      </form>
    </details>
  );
}
