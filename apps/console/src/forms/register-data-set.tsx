import { dataSetRegistrationSchema } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { z } from 'zod';
import { useClient } from '../client-context.js';
import { FoldedForm } from './folded-form.js';
import { startingValue, type JsonObject, type JsonSchema } from './json-schema.js';
import { SchemaForm } from './schema-form.js';
import { checkedBy, useCheckedValue } from './use-checked-value.js';

const START = { name: 'glyphs', format: 'glyphs' };
const check = checkedBy(dataSetRegistrationSchema);

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
  const form = useCheckedValue(value, check);
  const send = async (): Promise<boolean> => {
    const isDone = await form.send((registration) => client.registerDataSet(registration));
    if (!isDone) return false;
    setValue(startingValue(schema) as JsonObject);
    onRegistered();
    return true;
  };
  return (
    <FoldedForm title="Add a data set" action="Register" problem={form.problem} send={send}>
      <SchemaForm
        schema={schema}
        pointer=""
        value={value}
        onChange={setValue}
        context={{ errors: form.errors, suggestions: new Map() }}
      />
    </FoldedForm>
  );
}
