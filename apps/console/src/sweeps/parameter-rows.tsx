import type { JSX } from 'preact';
import type { FormContext } from '../forms/form-context.js';
import { EMPTY_ROW, type ParameterRow, type SweepField } from './parameters.js';
import { ParameterFields } from './parameter-fields.js';

/** What the trials of a sweep differ in, a row for each field. */
export function ParameterRows({
  rows,
  fields,
  onChange,
  context,
}: {
  readonly rows: readonly ParameterRow[];
  readonly fields: readonly SweepField[];
  readonly onChange: (rows: readonly ParameterRow[]) => void;
  readonly context: FormContext;
}): JSX.Element {
  const taken = new Set(rows.map(({ field }) => field));
  const free = fields.filter(({ name }) => !taken.has(name));
  const error = context.errors.get('/parameters');
  return (
    <details class="group" open>
      <summary>Parameters</summary>
      {error !== undefined && <p class="field-error">expected {error.expected}</p>}
      <div class="fields">
        {rows.map((row) => (
          <ParameterFields
            // A field has one row: another field is another row, with controls of its own.
            key={row.field}
            row={row}
            fields={fields.filter(({ name }) => name === row.field || !taken.has(name))}
            context={context}
            onChange={(next) => {
              onChange(rows.map((each) => (each === row ? next : each)));
            }}
            onRemove={() => {
              onChange(rows.filter((each) => each !== row));
            }}
          />
        ))}
        <div>
          <button
            type="button"
            disabled={free.length === 0}
            onClick={() => {
              const [first] = free;
              if (first !== undefined) onChange([...rows, { ...EMPTY_ROW, field: first.name }]);
            }}
          >
            Add a parameter
          </button>
        </div>
      </div>
    </details>
  );
}
