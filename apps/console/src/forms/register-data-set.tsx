import { dataSetRegistrationSchema } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useClient } from '../client-context.js';
import { startingValue, type JsonObject } from './json-schema.js';
import { RequestForm } from './request-form.js';
import { checkedBy } from './use-checked-value.js';

const START = { name: 'glyphs', format: 'glyphs' };
const check = checkedBy(dataSetRegistrationSchema);

/** Registers a data set; the coordinator prepares it in the background. */
export function RegisterDataSet({
  onRegistered,
}: {
  readonly onRegistered: () => void;
}): JSX.Element {
  const client = useClient();
  return (
    <RequestForm
      title="Add a data set"
      action="Register"
      request={dataSetRegistrationSchema}
      check={check}
      start={START}
      next={(schema) => startingValue(schema) as JsonObject}
      onSend={async (registration) => {
        await client.registerDataSet(registration);
        onRegistered();
      }}
    />
  );
}
