import { API_VERSION, type SweepSpecInput } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { useApi, useClient } from '../client-context.js';
import { FileAside } from '../forms/file-aside.js';
import { startOfJob } from '../forms/job-start.js';
import {
  isObject,
  withField,
  withoutDefaults,
  type JsonObject,
  type JsonSchema,
} from '../forms/json-schema.js';
import { SchemaForm } from '../forms/schema-form.js';
import { useCheckedValue } from '../forms/use-checked-value.js';
import { navigate } from '../router.js';
import { checkSweep, numTrials } from '../sweeps/check-sweep.js';
import { ParameterRows } from '../sweeps/parameter-rows.js';
import { EMPTY_ROW, parametersOf, sweepFields, type ParameterRow } from '../sweeps/parameters.js';
import { Link } from '../router.js';
import { Loaded } from '../ui/states.js';

/** Fields of the sweep's schema that are edited as they are; parameters and job have their own parts. */
const PLAIN = ['name', 'strategy', 'objective', 'parallel', 'seed'];
/** Each trial has its own. */
const NOT_OF_JOB = ['apiVersion', 'name'];
const START: ParameterRow = {
  ...EMPTY_ROW,
  field: 'training.learningRate',
  values: '0.1, 0.03, 0.01',
};
const MAX_NAME = 50;

/** A form for a sweep, from the schemas that the coordinator serves; of a job, or of one's own. */
export function SubmitSweepPage({ from }: { readonly from: string | null }): JSX.Element {
  const source = useApi(`sweep form ${from ?? ''}`, async (client) => {
    const [sweepSchema, jobSchema, job, dataSets] = await Promise.all([
      client.sweepSchema(),
      client.jobSchema(),
      from === null ? null : client.job(from),
      client.dataSets(),
    ]);
    return { sweepSchema, jobSchema, job, dataSets: dataSets.map(({ name }) => name) };
  });
  return (
    <>
      <div class="page-head">
        <h1>
          <Link to="/sweeps" class="up">
            Sweeps
          </Link>{' '}
          New sweep
        </h1>
      </div>
      <Loaded of={source} what="the form">
        {({ sweepSchema, jobSchema, job, dataSets }) => (
          <SweepForm
            key={from ?? ''}
            sweepSchema={sweepSchema}
            jobSchema={jobSchema}
            dataSets={dataSets}
            start={{
              apiVersion: API_VERSION,
              ...(job === null ? {} : { name: `${job.name}-sweep`.slice(-MAX_NAME) }),
              strategy: { kind: 'grid' },
              job: without(
                job === null
                  ? startOfJob(jobSchema, dataSets)
                  : withoutDefaults(jobSchema, job.spec),
                NOT_OF_JOB,
              ),
            }}
          />
        )}
      </Loaded>
    </>
  );
}

function SweepForm({
  sweepSchema,
  jobSchema,
  dataSets,
  start,
}: {
  readonly sweepSchema: JsonSchema;
  readonly jobSchema: JsonSchema;
  readonly dataSets: readonly string[];
  readonly start: JsonObject;
}): JSX.Element {
  const client = useClient();
  const [plain, setPlain] = useState(start);
  const [rows, setRows] = useState<readonly ParameterRow[]>([START]);
  const [isBusy, setBusy] = useState(false);
  const value = useMemo(() => {
    const { job, ...rest } = plain;
    return { ...rest, parameters: parametersOf(rows), job };
  }, [plain, rows]);
  const form = useCheckedValue<SweepSpecInput>(value, checkSweep);
  const parts = useMemo(() => {
    const job = picked(jobSchema, (name) => !NOT_OF_JOB.includes(name));
    return {
      plain: picked(sweepSchema, (name) => PLAIN.includes(name)),
      job,
      fields: sweepFields(job),
    };
  }, [sweepSchema, jobSchema]);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const isDone = await form.send(async (spec) => {
      const sweep = await client.submitSweep(spec);
      navigate(`/sweeps/${sweep.id}`);
    });
    setBusy(false);
    if (!isDone) document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  };
  const context = {
    errors: form.errors,
    suggestions: new Map([['/job/data/dataSet', dataSets]]),
  };
  const { job } = plain;
  const count = numTrials(value);
  return (
    <form class="submit" noValidate onSubmit={(event) => void submit(event)}>
      <div class="fields">
        <SchemaForm
          schema={parts.plain}
          pointer=""
          value={plain}
          onChange={setPlain}
          context={context}
        />
        <ParameterRows rows={rows} fields={parts.fields} onChange={setRows} context={context} />
        <details class="group" open>
          <summary>Job</summary>
          <div class="fields">
            <SchemaForm
              schema={parts.job}
              pointer="/job"
              value={isObject(job) ? job : {}}
              onChange={(next) => {
                setPlain(withField(plain, 'job', next));
              }}
              context={{ ...context, root: '/job' }}
            />
          </div>
        </details>
      </div>
      <FileAside
        title="Sweep file"
        value={value}
        form={form}
        note={count === null ? '' : `It begins with ${count} ${count === 1 ? 'job' : 'jobs'}.`}
        isBusy={isBusy}
      />
    </form>
  );
}

/** An object's schema with some of its properties. */
function picked(schema: JsonSchema, isKept: (name: string) => boolean): JsonSchema {
  const { properties = {}, required = [] } = schema;
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => isKept(name))),
    required: required.filter(isKept),
  };
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
