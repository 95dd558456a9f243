import type { WorkerView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useApi, useClient, useMay } from '../client-context.js';
import { ago, bytes, dateTime, integer } from '../format.js';
import { Link } from '../router.js';
import { ActionButton } from '../ui/action-button.js';
import { Badge } from '../ui/badge.js';
import { Figure } from '../ui/figure.js';
import { Empty, Loaded } from '../ui/states.js';

const REFRESH_MS = 2_000;

export function WorkersPage(): JSX.Element {
  const workers = useApi('workers', (client) => client.workers(), { everyMs: REFRESH_MS });
  return (
    <>
      <div class="page-head">
        <h1>Workers</h1>
      </div>
      <Loaded of={workers} what="the workers">
        {(items) =>
          items.length === 0 ? (
            <Empty title="No worker is connected">
              <p>
                <code>skipring up --workers 2</code> starts some on this machine.
              </p>
            </Empty>
          ) : (
            <>
              <Totals workers={items} />
              <WorkerTable workers={items} onDrained={workers.reload} />
            </>
          )
        }
      </Loaded>
    </>
  );
}

function Totals({ workers }: { readonly workers: readonly WorkerView[] }): JSX.Element {
  const busy = workers.filter(({ jobId }) => jobId !== null);
  const pace = busy.reduce((sum, { imagesPerSecond }) => sum + imagesPerSecond, 0);
  return (
    <dl class="figures">
      <Figure name="Connected">{workers.length}</Figure>
      <Figure name="Training">{busy.length}</Figure>
      <Figure name="Images/s">{integer(pace)}</Figure>
      <Figure name="Memory">
        {bytes(workers.reduce((sum, { device }) => sum + device.memoryBytes, 0))}
      </Figure>
    </dl>
  );
}

function WorkerTable({
  workers,
  onDrained,
}: {
  readonly workers: readonly WorkerView[];
  readonly onDrained: () => void;
}): JSX.Element {
  const client = useClient();
  const mayDrain = useMay('admin');
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">State</th>
          <th scope="col">Device</th>
          <th scope="col" class="number">
            Memory
          </th>
          <th scope="col">Job</th>
          <th scope="col">Lanes</th>
          <th scope="col" class="number">
            Images/s
          </th>
          <th scope="col">Last heard of</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {workers.map((worker) => (
          <tr key={worker.id}>
            <th scope="row" class="wide">
              {worker.id}
              <span class="id">{worker.host}</span>
            </th>
            <td class="wide">
              <Badge state={worker.state} />
            </td>
            <td data-name="Device">
              {worker.device.kind.toUpperCase()} · {worker.threads} thread
              {worker.threads === 1 ? '' : 's'}
              <span class="id">{worker.device.name}</span>
            </td>
            <td class="number" data-name="Memory">
              {bytes(worker.device.memoryBytes)}
            </td>
            <td data-name="Job">
              {worker.jobId === null ? (
                '–'
              ) : (
                <>
                  <Link to={`/jobs/${worker.jobId}`}>{worker.jobId}</Link>
                  {worker.rank !== null && <span class="id">rank {worker.rank}</span>}
                </>
              )}
            </td>
            <td data-name="Lanes">
              <Lanes lanes={worker.lanes} />
            </td>
            <td class="number" data-name="Images/s">
              {worker.imagesPerSecond > 0 ? integer(worker.imagesPerSecond) : '–'}
              {worker.slow !== null && (
                <span class="id">
                  slow in {worker.slow.part}: {worker.slow.ratio.toFixed(1)}x
                </span>
              )}
            </td>
            <td data-name="Last heard of">
              <time dateTime={worker.lastHeartbeatAt} title={dateTime(worker.lastHeartbeatAt)}>
                {ago(worker.lastHeartbeatAt)}
              </time>
            </td>
            <td class="actions">
              {mayDrain && worker.state !== 'draining' && (
                <ActionButton
                  kind="danger"
                  question={`Drain ${worker.id}?`}
                  act={async () => {
                    await client.drain(worker.id);
                    onDrained();
                  }}
                >
                  Drain
                </ActionButton>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Lane numbers, runs of them as ranges. */
function Lanes({ lanes }: { readonly lanes: readonly number[] }): JSX.Element {
  return <>{lanes.length === 0 ? '–' : laneRanges(lanes)}</>;
}

function laneRanges(lanes: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const lane of [...lanes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === lane - 1) last[1] = lane;
    else runs.push([lane, lane]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}
