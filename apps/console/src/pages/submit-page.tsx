import { jobSpecSchema } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { stringify } from 'yaml';
import { useApi, useClient } from '../client-context.js';
import {
  startingValue,
  withoutDefaults,
  type JsonObject,
  type JsonSchema,
} from '../forms/json-schema.js';
import { SchemaForm } from '../forms/schema-form.js';
import { idOf } from '../forms/simple-control.js';
import { useCheckedValue } from '../forms/use-checked-value.js';
import { navigate } from '../router.js';
import { Loaded } from '../ui/states.js';

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
          const start = job === null ? startOf(schema, names) : withoutDefaults(schema, job.spec);
          return <JobForm key={from ?? ''} schema={schema} start={start} dataSets={names} />;
        }}
      </Loaded>
    </>
  );
}

/** Random; not `randomUUID`, which browsers have only on encrypted pages and this machine's own. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join(
    '-',
  );
}

/** A job that could be submitted as it is, on the first data set. */
function startOf(schema: JsonSchema, dataSets: readonly string[]): JsonObject {
  const [dataSet] = dataSets;
  return {
    ...(startingValue(schema) as JsonObject),
    data: dataSet === undefined ? {} : { dataSet },
    training: { epochs: 5 },
  };
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
  const idempotencyKey = useMemo(newKey, [value]);
  const form = useCheckedValue(value, jobSpecSchema);
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
      <aside aria-label="The job file">
        <h2>Job file</h2>
        <pre class="code" tabIndex={0}>
          {stringify(value)}
        </pre>
        <Problems errors={[...form.errors.values()]} problem={form.problem} />
        <button type="submit" class="primary" disabled={isBusy}>
          Submit
        </button>
      </aside>
    </form>
  );
}

function Problems({
  errors,
  problem,
}: {
  readonly errors: readonly { readonly field: string; readonly expected: string }[];
  readonly problem: string | null;
}): JSX.Element {
  const inFields = errors.filter(({ field }) => field !== '');
  if (inFields.length === 0 && problem === null) {
    return <p class="note">Fields that are left empty take their default.</p>;
  }
  return (
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
  );
}
