import type { DataSetManifest, DataSetView, SplitName } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useApi, useClient, useMayChange } from '../client-context.js';
import { integer } from '../format.js';
import { Link, navigate } from '../router.js';
import { Badge } from '../ui/badge.js';
import { ConfirmDialog } from '../ui/confirm-dialog.js';
import { Figure } from '../ui/figure.js';
import { SamplePicture } from '../ui/sample-picture.js';
import { Loaded } from '../ui/states.js';

const PAGE = 60;

export function DataSetPage({ name }: { readonly name: string }): JSX.Element {
  const dataSet = useApi(`data-set ${name}`, (client) => client.dataSet(name));
  return (
    <>
      <div class="page-head">
        <h1>
          <Link to="/data-sets" class="up">
            Data sets
          </Link>{' '}
          {name}
        </h1>
        {dataSet.value !== null && <Deletion dataSet={dataSet.value} />}
      </div>
      <Loaded of={dataSet} what={name}>
        {({ state, reason, manifest }) =>
          manifest === null ? (
            <p>
              <Badge state={state} /> {reason}
            </p>
          ) : (
            <Contents name={name} manifest={manifest} />
          )
        }
      </Loaded>
    </>
  );
}

function Deletion({ dataSet: { name, owner } }: { readonly dataSet: DataSetView }): JSX.Element {
  const client = useClient();
  if (!useMayChange(owner)) return <></>;
  return (
    <div class="tools">
      <ConfirmDialog
        name="Delete"
        title={`Delete ${name}?`}
        act={async () => {
          await client.removeDataSet(name);
          navigate('/data-sets', { replace: true });
        }}
      >
        <p>
          What was prepared of it is gone for good; the files that it was made of stay. Jobs that
          were trained on it stay, too, without its pictures.
        </p>
      </ConfirmDialog>
    </div>
  );
}

function Contents({
  name,
  manifest,
}: {
  readonly name: string;
  readonly manifest: DataSetManifest;
}): JSX.Element {
  const [split, setSplit] = useState<SplitName>('train');
  const [shownClass, setShownClass] = useState<number | null>(null);
  const { height, width, channels, classes, mean, standardDeviation } = manifest;
  const numbers = (values: readonly number[]): string =>
    values.map((value) => value.toFixed(4)).join(', ');
  return (
    <>
      <dl class="figures">
        <Figure name="Images">{`${height} × ${width} × ${channels}`}</Figure>
        <Figure name="Training">{integer(manifest.splits.train.samples)}</Figure>
        <Figure name="Test">{integer(manifest.splits.test.samples)}</Figure>
        <Figure name="Classes">{integer(classes.length)}</Figure>
        <Figure name="Mean">{numbers(mean)}</Figure>
        <Figure name="Standard deviation">{numbers(standardDeviation)}</Figure>
      </dl>
      <div class="split-view">
        <section aria-labelledby="classes">
          <h2 id="classes">Classes</h2>
          <Classes name={name} classes={classes} split={split} />
        </section>
        <section aria-labelledby="samples">
          <div class="page-head">
            <h2 id="samples">Samples</h2>
            <div class="tools">
              <label>
                Split{' '}
                <select
                  value={split}
                  onChange={(event) => {
                    setSplit(event.currentTarget.value as SplitName);
                  }}
                >
                  <option value="train">training</option>
                  <option value="test">test</option>
                </select>
              </label>
              <label>
                Class{' '}
                <select
                  value={shownClass ?? ''}
                  onChange={(event) => {
                    const { value } = event.currentTarget;
                    setShownClass(value === '' ? null : Number(value));
                  }}
                >
                  <option value="">all</option>
                  {classes.map((title, index) => (
                    <option key={title} value={index}>
                      {title}
                    </option>
                  ))}
                </select>
              </label>
            </div>
          </div>
          <Samples
            key={`${split} ${shownClass ?? ''}`}
            name={name}
            classes={classes}
            split={split}
            shownClass={shownClass}
          />
        </section>
      </div>
    </>
  );
}

function Classes({
  name,
  classes,
  split,
}: {
  readonly name: string;
  readonly classes: readonly string[];
  readonly split: SplitName;
}): JSX.Element {
  const counts = useApi(`classes ${name}`, (client) => client.classCounts(name));
  return (
    <Loaded of={counts} what="the counts">
      {(found) => {
        const most = Math.max(1, ...found[split]);
        return (
          <table class="bars">
            <thead>
              <tr>
                <th scope="col">Class</th>
                <th scope="col" class="number">
                  Training
                </th>
                <th scope="col" class="number">
                  Test
                </th>
                <th scope="col">
                  <span class="hidden">Share</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {classes.map((title, index) => (
                <tr key={title}>
                  <th scope="row">{title}</th>
                  <td class="number">{integer(found.train[index] ?? 0)}</td>
                  <td class="number">{integer(found.test[index] ?? 0)}</td>
                  <td>
                    <span
                      class="bar-fill"
                      style={{ width: `${(100 * (found[split][index] ?? 0)) / most}%` }}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      }}
    </Loaded>
  );
}

function Samples({
  name,
  classes,
  split,
  shownClass,
}: {
  readonly name: string;
  readonly classes: readonly string[];
  readonly split: SplitName;
  readonly shownClass: number | null;
}): JSX.Element {
  const [offset, setOffset] = useState(0);
  const query = {
    split,
    offset,
    limit: PAGE,
    ...(shownClass === null ? {} : { class: shownClass }),
  };
  const samples = useApi(`samples ${name} ${JSON.stringify(query)}`, (client) =>
    client.samples(name, query),
  );
  return (
    <Loaded of={samples} what="the samples">
      {({ items, total }) => (
        <>
          <ul class="pictures">
            {items.map(({ sample, label }) => (
              <li key={sample}>
                <SamplePicture
                  dataSet={name}
                  split={split}
                  sample={sample}
                  title={`Sample ${sample}: ${classes[label] ?? label}`}
                />
                <span>{classes[label] ?? label}</span>
              </li>
            ))}
          </ul>
          <div class="pager">
            <button
              type="button"
              disabled={offset === 0}
              onClick={() => {
                setOffset(Math.max(0, offset - PAGE));
              }}
            >
              Before
            </button>
            <span class="number">
              {total === 0 ? 0 : integer(offset + 1)}–{integer(Math.min(total, offset + PAGE))} of{' '}
              {integer(total)}
            </span>
            <button
              type="button"
              disabled={offset + PAGE >= total}
              onClick={() => {
                setOffset(offset + PAGE);
              }}
            >
              Next
            </button>
          </div>
        </>
      )}
    </Loaded>
  );
}
