import type { ComponentChildren, JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { ActionButton } from './action-button.js';

/** A button that opens a dialog, which says what will be gone for good before that is done. */
export function ConfirmDialog({
  name,
  title,
  children,
  act,
}: {
  /** Of both buttons. */
  readonly name: string;
  readonly title: string;
  readonly children: ComponentChildren;
  readonly act: () => Promise<unknown>;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" class="danger" onClick={() => dialog.current?.showModal()}>
        {name}
      </button>
      <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title">
        <h2 id="confirm-title">{title}</h2>
        {children}
        <div class="tools">
          <button type="button" onClick={() => dialog.current?.close()}>
            Keep
          </button>
          <ActionButton kind="danger" act={act}>
            {name}
          </ActionButton>
        </div>
      </dialog>
    </>
  );
}
