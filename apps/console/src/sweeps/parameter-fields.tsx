import type { JSX } from 'preact';
import type { FormContext } from '../forms/form-context.js';
import { Field } from '../forms/simple-control.js';
import type { ParameterRow, SweepField } from './parameters.js';

type Change = (fields: Partial<ParameterRow>) => void;

/** One parameter: the job's field, and the values or the range that its trials have. */
export function ParameterFields({
  row,
  fields,
  context,
  onChange,
  onRemove,
}: {
  readonly row: ParameterRow;
  /** That may be chosen: this one, and those of no other row. */
  readonly fields: readonly SweepField[];
  readonly context: FormContext;
  readonly onChange: (row: ParameterRow) => void;
  readonly onRemove: () => void;
}): JSX.Element {
  const pointer = `/parameters/${row.field}`;
  const isNumber = fields.find(({ name }) => name === row.field)?.isNumber === true;
  const change: Change = (next) => {
    onChange({ ...row, ...next });
  };
  return (
    <fieldset class="group parameter">
      <legend class="hidden">Parameter {row.field}</legend>
      <Field name="field" pointer={pointer} isRequired description="" context={context}>
        {(attributes) => (
          <select
            {...attributes}
            value={row.field}
            onChange={(event) => {
              const { value } = event.currentTarget;
              const isRange = fields.find(({ name }) => name === value)?.isNumber === true;
              change({ field: value, kind: isRange ? row.kind : 'values' });
            }}
          >
            {fields.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field name="from" pointer={`${pointer}/kind`} isRequired description="" context={context}>
        {(attributes) => (
          <select
            {...attributes}
            value={row.kind}
            disabled={!isNumber}
            onChange={(event) => {
              change({ kind: event.currentTarget.value as ParameterRow['kind'] });
            }}
          >
            <option value="values">values</option>
            <option value="range">a range</option>
          </select>
        )}
      </Field>
      {row.kind === 'values' ? (
        <TextField
          {...{ row, pointer, context, change }}
          name="values"
          description="separated by commas"
        />
      ) : (
        <RangeFields {...{ row, pointer, context, change }} />
      )}
      <div>
        <button type="button" onClick={onRemove}>
          Remove <span class="hidden">{row.field}</span>
        </button>
      </div>
    </fieldset>
  );
}

interface PartProps {
  readonly row: ParameterRow;
  readonly pointer: string;
  readonly context: FormContext;
  readonly change: Change;
}

function RangeFields(props: PartProps): JSX.Element {
  const { row, pointer, context, change } = props;
  return (
    <>
      <TextField {...props} name="min" description="" />
      <TextField {...props} name="max" description="" />
      <Field
        name="scale"
        pointer={`${pointer}/scale`}
        isRequired={false}
        description="log: drawn by exponent"
        context={context}
      >
        {(attributes) => (
          <select
            {...attributes}
            value={row.scale}
            onChange={(event) => {
              change({ scale: event.currentTarget.value as ParameterRow['scale'] });
            }}
          >
            <option>linear</option>
            <option>log</option>
          </select>
        )}
      </Field>
      <Field
        name="integer"
        pointer={`${pointer}/integer`}
        isRequired={false}
        description=""
        context={context}
      >
        {(attributes) => (
          <input
            {...attributes}
            type="checkbox"
            checked={row.isInteger}
            onChange={(event) => {
              change({ isInteger: event.currentTarget.checked });
            }}
          />
        )}
      </Field>
    </>
  );
}

function TextField({
  row,
  pointer,
  context,
  change,
  name,
  description,
}: PartProps & {
  readonly name: 'values' | 'min' | 'max';
  readonly description: string;
}): JSX.Element {
  return (
    <Field
      name={name}
      pointer={`${pointer}/${name}`}
      isRequired
      description={description}
      context={{ ...context, errors: withItems(context.errors, `${pointer}/${name}`) }}
    >
      {(attributes) => (
        <input
          {...attributes}
          type="text"
          autocomplete="off"
          spellcheck={false}
          value={row[name]}
          onInput={(event) => {
            change({ [name]: event.currentTarget.value });
          }}
        />
      )}
    </Field>
  );
}

/** With what is wrong with a single item told of the whole list: it is edited as one. */
function withItems(errors: FormContext['errors'], pointer: string): FormContext['errors'] {
  const ofItem = [...errors].find(([field]) => field.startsWith(`${pointer}/`));
  return ofItem === undefined || errors.has(pointer)
    ? errors
    : new Map([...errors, [pointer, ofItem[1]]]);
}
