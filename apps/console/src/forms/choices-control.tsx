import type { JSX } from 'preact';
import type { Control, JsonSchema } from './json-schema.js';
import type { FormContext } from './form-context.js';
import { idOf } from './simple-control.js';
import { titleOf } from './title-of.js';

/** Any of some values, a box to tick for each. */
export function ChoicesControl({
  name,
  schema,
  control,
  pointer,
  value,
  onChange,
  context,
}: {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly control: Extract<Control, { kind: 'choices' }>;
  readonly pointer: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly context: FormContext;
}): JSX.Element {
  const given = value ?? schema.default;
  const chosen: readonly unknown[] = Array.isArray(given) ? given : [];
  const error = context.errors.get(pointer);
  const id = idOf(pointer);
  return (
    <div
      class={error === undefined ? 'field' : 'field faulty'}
      role="group"
      aria-labelledby={`${id}-name`}
      aria-describedby={`${id}-note`}
    >
      <span id={`${id}-name`}>{titleOf(name)}</span>
      <span class="choices">
        {control.values.map((each) => (
          <label key={String(each)}>
            <input
              type="checkbox"
              checked={chosen.includes(each)}
              onChange={(event) => {
                const { checked } = event.currentTarget;
                // In the order of the schema, whatever was ticked first.
                onChange(
                  control.values.filter((one) => (one === each ? checked : chosen.includes(one))),
                );
              }}
            />{' '}
            {String(each)}
          </label>
        ))}
      </span>
      <span id={`${id}-note`} class={error === undefined ? 'note' : 'field-error'}>
        {error === undefined ? schema.description : `expected ${error.expected}`}
      </span>
    </div>
  );
}
