import type { ComponentChildren, JSX } from 'preact';
import type { Control, JsonSchema } from './json-schema.js';
import { numberOf, textOf } from './number-text.js';
import type { FormContext } from './form-context.js';
import { titleOf } from './title-of.js';

export interface ControlAttributes {
  readonly id: string;
  readonly name: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
  readonly required: boolean;
}

export interface SimpleControlProps {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly control: Control;
  readonly isRequired: boolean;
  readonly pointer: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly context: FormContext;
}

/** A label, its control, and below it what is wrong with the value or else what it means. */
export function Field({
  name,
  pointer,
  isRequired,
  description,
  context,
  children,
}: {
  readonly name: string;
  readonly pointer: string;
  readonly isRequired: boolean;
  readonly description: string | undefined;
  readonly context: FormContext;
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
}): JSX.Element {
  const error = context.errors.get(pointer);
  const id = idOf(pointer);
  const noteId = `${id}-note`;
  return (
    <div class={error === undefined ? 'field' : 'field faulty'}>
      <label for={id}>
        {titleOf(name)}
        {isRequired && <span aria-hidden="true"> *</span>}
      </label>
      {children({
        id,
        name: pointer,
        'aria-describedby': noteId,
        'aria-invalid': error !== undefined,
        required: isRequired,
      })}
      <span id={noteId} class={error === undefined ? 'note' : 'field-error'}>
        {error === undefined ? description : `expected ${error.expected}`}
      </span>
    </div>
  );
}

/** Id of the control that edits a field. */
export function idOf(pointer: string): string {
  return `field${pointer.replaceAll('/', '-')}`;
}

/** A control of one value. An optional one that is emptied leaves the field out. */
export function SimpleControl(props: SimpleControlProps): JSX.Element {
  const { name, schema, isRequired, pointer, context } = props;
  const range = rangeText(schema);
  const description = [schema.description, range].filter(Boolean).join('; ');
  return (
    <Field {...{ name, pointer, isRequired, context }} description={description}>
      {(attributes) => <Input {...props} attributes={attributes} />}
    </Field>
  );
}

function Input({
  schema,
  control,
  isRequired,
  pointer,
  value,
  onChange,
  context,
  attributes,
}: SimpleControlProps & { readonly attributes: ControlAttributes }): JSX.Element {
  const placeholder = placeholderOf(schema);
  switch (control.kind) {
    case 'boolean':
      return (
        <input
          {...attributes}
          required={false}
          type="checkbox"
          checked={value === undefined ? schema.default === true : value === true}
          onChange={(event) => {
            onChange(event.currentTarget.checked);
          }}
        />
      );
    case 'choice':
      return (
        <select
          {...attributes}
          value={JSON.stringify(value ?? schema.default ?? null)}
          onChange={(event) => {
            const given = JSON.parse(event.currentTarget.value) as unknown;
            onChange(given ?? undefined);
          }}
        >
          {!isRequired && schema.default === undefined && <option value="null">–</option>}
          {control.values.map((each) => (
            <option key={JSON.stringify(each)} value={JSON.stringify(each)}>
              {String(each)}
            </option>
          ))}
        </select>
      );
    case 'number':
      return (
        <input
          {...attributes}
          // Not of type number: a browser hides what it cannot read, and so what is wrong.
          type="text"
          inputMode={control.isInteger ? 'numeric' : 'decimal'}
          autocomplete="off"
          placeholder={placeholder}
          // Not bound to the value: `0.` must not be rewritten as `0` under the typist's hands.
          defaultValue={textOf(value)}
          onInput={(event) => {
            onChange(numberOf(event.currentTarget.value));
          }}
        />
      );
    case 'numbers':
      return (
        <input
          {...attributes}
          type="text"
          autocomplete="off"
          placeholder="0.5, 0.75"
          defaultValue={Array.isArray(value) ? value.join(', ') : ''}
          onInput={(event) => {
            const parts = event.currentTarget.value.split(',').filter((part) => part.trim() !== '');
            onChange(parts.length === 0 ? undefined : parts.map(numberOf));
          }}
        />
      );
    case 'text':
    case 'choices':
    case 'constant':
    case 'object':
    case 'variants':
      return (
        <>
          <input
            {...attributes}
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder={placeholder}
            list={`${attributes.id}-list`}
            value={textOf(value)}
            onInput={(event) => {
              const given = event.currentTarget.value;
              onChange(given === '' ? undefined : given);
            }}
          />
          <datalist id={`${attributes.id}-list`}>
            {context.suggestions.get(pointer)?.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </>
      );
  }
}

/** What a field that is left empty has. */
function placeholderOf(schema: JsonSchema): string {
  if (schema.default === undefined) return '';
  return schema.default === null ? 'none' : JSON.stringify(schema.default);
}

function rangeText({
  type,
  minimum,
  maximum,
  exclusiveMinimum,
  exclusiveMaximum,
}: JsonSchema): string {
  if (type !== 'integer' && type !== 'number') return '';
  // Largest int32: no bound that anyone would run into.
  const isBound = maximum !== undefined && maximum < 2_147_483_647;
  const from =
    minimum !== undefined
      ? `from ${minimum}`
      : exclusiveMinimum !== undefined
        ? `above ${exclusiveMinimum}`
        : '';
  const to = isBound
    ? `to ${maximum}`
    : exclusiveMaximum !== undefined
      ? `below ${exclusiveMaximum}`
      : '';
  return [from, to].filter(Boolean).join(' ');
}
