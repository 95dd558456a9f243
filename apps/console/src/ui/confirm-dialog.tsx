import type { ComponentChildren, JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { Link } from '../router.js';
import { idsIn } from './ids-in.js';
import { useAction } from './use-action.js';

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
  const { isBusy, problem, run, forgetProblem } = useAction(act);
  const open = (): void => {
    forgetProblem();
    dialog.current?.showModal();
  };
  const confirm = (): void => {
    forgetProblem();
    void run();
  };
  return (
    <>
      <button type="button" class="danger" onClick={open}>
        {name}
      </button>
      <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title">
        <h2 id="confirm-title">{title}</h2>
        {children}
        {problem !== null && (
          <div class="notice notice-error" role="alert">
            <p>
              {idsIn(problem).map(({ text, to }) =>
                to === null ? (
                  text
                ) : (
                  <Link key={to} class="whole" to={to}>
                    {text}
                  </Link>
                ),
              )}
            </p>
          </div>
        )}
        <div class="tools">
          <button type="button" onClick={() => dialog.current?.close()}>
            Keep
          </button>
          <button type="button" class="danger" disabled={isBusy} onClick={confirm}>
            {name}
          </button>
        </div>
      </dialog>
    </>
  );
}
