import type { FieldError } from '@skipring/protocol';
import type { JSX } from 'preact';
import {
  controlOf,
  isObject,
  startingObject,
  withField,
  type Control,
  type JsonObject,
  type JsonSchema,
} from './json-schema.js';
import { ChoicesControl } from './choices-control.js';
import type { FormContext } from './form-context.js';
import { Field, SimpleControl } from './simple-control.js';
import { titleOf } from './title-of.js';

interface NestedProps {
  readonly schema: JsonSchema;
  /** JSON pointer of what is edited. */
  readonly pointer: string;
  readonly value: JsonObject;
  readonly onChange: (value: JsonObject) => void;
  readonly context: FormContext;
}

/** The fields of an object. */
export function SchemaForm({
  schema,
  pointer,
  value,
  onChange,
  context,
}: NestedProps): JSX.Element {
  const control = controlOf(schema);
  if (control.kind === 'variants') {
    return <Variants {...{ schema, pointer, value, onChange, context, control }} />;
  }
  return <Properties {...{ schema, pointer, value, onChange, context }} />;
}

function Properties({
  schema,
  pointer,
  value,
  onChange,
  context,
  hiddenField,
}: NestedProps & { readonly hiddenField?: string }): JSX.Element {
  const entries = Object.entries(schema.properties ?? {}).filter(([name]) => name !== hiddenField);
  const isNested = ([, property]: [string, JsonSchema]): boolean =>
    ['object', 'variants'].includes(controlOf(property).kind);
  const isFirst = (entry: [string, JsonSchema]): boolean =>
    !isNested(entry) &&
    (pointer !== (context.root ?? '') || (schema.required?.includes(entry[0]) ?? false));
  // Plain fields first, then groups of them; of the whole, what must be given before what may.
  const ordered = [
    ...entries.filter(isFirst),
    ...entries.filter(isNested),
    ...entries.filter((entry) => !isFirst(entry) && !isNested(entry)),
  ];
  return (
    <>
      {ordered.map(([name, property]) => (
        <Property
          key={name}
          name={name}
          schema={property}
          isRequired={schema.required?.includes(name) ?? false}
          pointer={`${pointer}/${name}`}
          value={value[name]}
          onChange={(next) => {
            onChange(withField(value, name, next));
          }}
          context={context}
        />
      ))}
    </>
  );
}

function Property({
  name,
  schema,
  isRequired,
  pointer,
  value,
  onChange,
  context,
}: {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  readonly pointer: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly context: FormContext;
}): JSX.Element {
  const control = controlOf(schema);
  if (control.kind === 'constant') return <></>;
  if (control.kind === 'choices') {
    return <ChoicesControl {...{ name, schema, control, pointer, value, onChange, context }} />;
  }
  if (control.kind !== 'object' && control.kind !== 'variants') {
    return (
      <SimpleControl
        {...{ name, schema, control, isRequired, pointer, value, onChange, context }}
      />
    );
  }
  const fallback = isObject(schema.default) ? schema.default : {};
  const nested = { schema, pointer, value: isObject(value) ? value : fallback, onChange, context };
  const hasError = [...context.errors.keys()].some((field) => field.startsWith(pointer));
  return (
    <details class="group" open={isRequired || hasError || Object.keys(nested.value).length > 1}>
      <summary>{titleOf(name)}</summary>
      <GroupError error={context.errors.get(pointer)} />
      <div class="fields">
        <SchemaForm {...nested} />
      </div>
    </details>
  );
}

function GroupError({ error }: { readonly error: FieldError | undefined }): JSX.Element {
  return error === undefined ? <></> : <p class="field-error">expected {error.expected}</p>;
}

function Variants({
  schema,
  pointer,
  value,
  onChange,
  context,
  control,
}: NestedProps & { readonly control: Extract<Control, { kind: 'variants' }> }): JSX.Element {
  const { key, variants } = control;
  const current = variants.find((variant) => variant.value === String(value[key])) ?? variants[0];
  const field = `${pointer}/${key}`;
  const description = current?.schema.properties?.[key]?.description;
  return (
    <>
      <Field name={key} pointer={field} isRequired description={description} context={context}>
        {(attributes) => (
          <select
            {...attributes}
            value={current?.value}
            onChange={(event) => {
              const next = variants.find(({ value: of }) => of === event.currentTarget.value);
              if (next !== undefined) onChange(startingObject(next.schema));
            }}
          >
            {variants.map((variant) => (
              <option key={variant.value} value={variant.value}>
                {variant.value}
              </option>
            ))}
          </select>
        )}
      </Field>
      {current !== undefined && (
        <Properties
          // Another variant has other fields, also where their names are the same.
          key={current.value}
          {...{ pointer, value, onChange, context }}
          schema={current.schema}
          hiddenField={key}
        />
      )}
      {schema.description !== undefined && <p class="note">{schema.description}</p>}
    </>
  );
}
