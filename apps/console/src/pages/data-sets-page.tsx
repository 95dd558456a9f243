import type { DataSetView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useApi, useMay } from '../client-context.js';
import { ago, integer, shortHash } from '../format.js';
import { RegisterDataSet } from '../forms/register-data-set.js';
import { Link } from '../router.js';
import { Badge } from '../ui/badge.js';
import { Empty, Loaded } from '../ui/states.js';

const REFRESH_MS = 3_000;

export function DataSetsPage(): JSX.Element {
  const dataSets = useApi('data-sets', (client) => client.dataSets(), { everyMs: REFRESH_MS });
  const mayAdd = useMay('submitter');
  return (
    <>
      <div class="page-head">
        <h1>Data sets</h1>
      </div>
      <Loaded of={dataSets} what="the data sets">
        {(items) =>
          items.length === 0 ? (
            <Empty title="No data set is registered">
              {mayAdd && <p>Add one below; the generated set “glyphs” needs no files.</p>}
            </Empty>
          ) : (
            <DataSetTable dataSets={items} />
          )
        }
      </Loaded>
      {mayAdd && <RegisterDataSet onRegistered={dataSets.reload} />}
    </>
  );
}

function DataSetTable({ dataSets }: { readonly dataSets: readonly DataSetView[] }): JSX.Element {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Data set</th>
          <th scope="col">State</th>
          <th scope="col">Images</th>
          <th scope="col" class="number">
            Classes
          </th>
          <th scope="col" class="number">
            Training
          </th>
          <th scope="col" class="number">
            Test
          </th>
          <th scope="col">Hash</th>
          <th scope="col">Registered</th>
        </tr>
      </thead>
      <tbody>
        {dataSets.map(({ name, state, reason, manifest, hash, createdAt }) => (
          <tr key={name}>
            <th scope="row" class="wide">
              <Link to={`/data-sets/${name}`}>{name}</Link>
            </th>
            <td class="wide">
              <Badge state={state} />
              {reason !== '' && <span class="reason">{reason}</span>}
            </td>
            <td data-name="Images">
              {manifest === null
                ? '–'
                : `${manifest.height} × ${manifest.width} × ${manifest.channels}`}
            </td>
            <td class="number" data-name="Classes">
              {manifest === null ? '–' : integer(manifest.classes.length)}
            </td>
            <td class="number" data-name="Training">
              {manifest === null ? '–' : integer(manifest.splits.train.samples)}
            </td>
            <td class="number" data-name="Test">
              {manifest === null ? '–' : integer(manifest.splits.test.samples)}
            </td>
            <td data-name="Hash">{hash === null ? '–' : <code>{shortHash(hash)}</code>}</td>
            <td data-name="Registered">{ago(createdAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
