import type { JSX } from 'preact';
import { stringify } from 'yaml';
import type { CheckedValue } from './use-checked-value.js';
import { idOf } from './simple-control.js';

/** What a form makes, as the file that a terminal would take, what is wrong with it, and its button. */
export function FileAside({
  title,
  value,
  form: { errors, problem },
  note,
  isBusy,
}: {
  readonly title: string;
  readonly value: unknown;
  readonly form: Pick<CheckedValue<unknown>, 'errors' | 'problem'>;
  /** Said while nothing is wrong. */
  readonly note: string;
  readonly isBusy: boolean;
}): JSX.Element {
  const inFields = [...errors.values()].filter(({ field }) => field !== '');
  return (
    <aside aria-label={title}>
      <h2>{title}</h2>
      <pre class="code" tabIndex={0}>
        {stringify(value)}
      </pre>
      {inFields.length === 0 && problem === null ? (
        <p class="note">{note}</p>
      ) : (
        <div role="alert">
          {problem !== null && <p class="field-error">{problem}</p>}
          <ul class="problems">
            {inFields.map(({ field, expected }) => (
              <li key={field}>
                <a
                  href={`#${idOf(field)}`}
                  onClick={(event) => {
                    event.preventDefault();
                    document.getElementById(idOf(field))?.focus();
                  }}
                >
                  {field.slice(1).replaceAll('/', '.')}
                </a>
                : expected {expected}
              </li>
            ))}
          </ul>
        </div>
      )}
      <button type="submit" class="primary" disabled={isBusy}>
        Submit
      </button>
    </aside>
  );
}
