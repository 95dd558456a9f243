import { newIdempotencyKey } from '@skipring/client';
import { jobSpecSchema } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { useApi, useClient } from '../client-context.js';
import { FileAside } from '../forms/file-aside.js';
import { startOfJob } from '../forms/job-start.js';
import { withoutDefaults, type JsonObject, type JsonSchema } from '../forms/json-schema.js';
import { SchemaForm } from '../forms/schema-form.js';
import { checkedBy, useCheckedValue } from '../forms/use-checked-value.js';
import { navigate } from '../router.js';
import { Loaded } from '../ui/states.js';

const check = checkedBy(jobSpecSchema);

/** A form made from the job schema that the coordinator serves. */
export function SubmitPage({ from }: { readonly from: string | null }): JSX.Element {
  const source = useApi(`submit ${from ?? ''}`, async (client) => {
    const [schema, job, dataSets] = await Promise.all([
      client.jobSchema(),
      from === null ? null : client.job(from),
      client.dataSets(),
    ]);
    return { schema: schema, job, dataSets };
  });
  return (
    <>
      <div class="page-head">
        <h1>{from === null ? 'Submit a job' : 'Clone and edit'}</h1>
      </div>
      <Loaded of={source} what="the form">
        {({ schema, job, dataSets }) => {
          const names = dataSets.map(({ name }) => name);
          const start =
            job === null ? startOfJob(schema, names) : withoutDefaults(schema, job.spec);
          return <JobForm key={from ?? ''} schema={schema} start={start} dataSets={names} />;
        }}
      </Loaded>
    </>
  );
}

function JobForm({
  schema,
  start,
  dataSets,
}: {
  readonly schema: JsonSchema;
  readonly start: JsonObject;
  readonly dataSets: readonly string[];
}): JSX.Element {
  const client = useClient();
  const [value, setValue] = useState(start);
  const [isBusy, setBusy] = useState(false);
  // One key for one press and its repetitions: a lost answer makes no second job.
  const idempotencyKey = useMemo(newIdempotencyKey, [value]);
  const form = useCheckedValue(value, check);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const isDone = await form.send(async (spec) => {
      const job = await client.submit(spec, idempotencyKey);
      navigate(`/jobs/${job.id}`);
    });
    setBusy(false);
    if (!isDone) document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  };
  const suggestions = new Map([['/data/dataSet', dataSets]]);
  return (
    <form class="submit" noValidate onSubmit={(event) => void submit(event)}>
      <div class="fields">
        <SchemaForm
          schema={schema}
          pointer=""
          value={value}
          onChange={setValue}
          context={{ errors: form.errors, suggestions }}
        />
      </div>
      <FileAside
        title="Job file"
        value={value}
        form={form}
        note="Fields that are left empty take their default."
        isBusy={isBusy}
      />
    </form>
  );
}
