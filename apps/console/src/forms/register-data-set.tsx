import { dataSetRegistrationSchema } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { z } from 'zod';
import { useClient } from '../client-context.js';
import { startingValue, type JsonObject, type JsonSchema } from './json-schema.js';
import { SchemaForm } from './schema-form.js';
import { useCheckedValue } from './use-checked-value.js';

const START = { name: 'glyphs', format: 'glyphs' };

/** Registers a data set; the coordinator prepares it in the background. */
export function RegisterDataSet({
  onRegistered,
}: {
  readonly onRegistered: () => void;
}): JSX.Element {
  const client = useClient();
  const schema = useMemo(
    () => z.toJSONSchema(dataSetRegistrationSchema, { io: 'input' }) as JsonSchema,
    [],
  );
  const [value, setValue] = useState<JsonObject>(START);
  const form = useCheckedValue(value, dataSetRegistrationSchema);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const isDone = await form.send((registration) => client.registerDataSet(registration));
    setBusy(false);
    if (!isDone) return;
    setValue(startingValue(schema) as JsonObject);
    onRegistered();
  };
  return (
    <details class="card">
      <summary>
        <h2>Add a data set</h2>
      </summary>
      <form class="fields" noValidate onSubmit={(event) => void submit(event)}>
        <SchemaForm
          schema={schema}
          pointer=""
          value={value}
          onChange={setValue}
          context={{ errors: form.errors, suggestions: new Map() }}
        />
        {form.problem !== null && (
          <p class="field-error" role="alert">
            {form.problem}
          </p>
        )}
        <div>
          <button type="submit" class="primary" disabled={isBusy}>
            Register
          </button>
        </div>
      </form>
    </details>
  );
}
