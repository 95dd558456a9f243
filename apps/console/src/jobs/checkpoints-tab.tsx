import type { JobView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useApi } from '../client-context.js';
import { ago, bytes, dateTime, integer, shortHash } from '../format.js';
import { Empty, Loaded } from '../ui/states.js';
import type { OtherEvent } from './job-history.js';

export function CheckpointsTab({
  job,
  events,
}: {
  readonly job: JobView;
  readonly events: readonly OtherEvent[];
}): JSX.Element {
  // Each stored checkpoint is told of by an event: the list is read again after it.
  const numStored = events.filter(({ type }) => type === 'checkpoint').length;
  const checkpoints = useApi(`checkpoints ${job.id} ${numStored}`, (client) =>
    client.checkpoints(job.id),
  );
  return (
    <Loaded of={checkpoints} what="the checkpoints">
      {(items) =>
        items.length === 0 ? (
          <Empty title="No checkpoint yet">
            <p>One is stored every {integer(job.spec.checkpoints.everySteps)} steps.</p>
          </Empty>
        ) : (
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">Step</th>
                <th scope="col">Epoch</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">Model SHA-256</th>
                <th scope="col">Stored</th>
                <th scope="col">On the coordinator’s machine</th>
              </tr>
            </thead>
            <tbody>
              {items.map((checkpoint) => (
                <tr key={checkpoint.step}>
                  <th scope="row" class="wide">
                    {integer(checkpoint.step)}{' '}
                    {checkpoint.best && <span class="badge badge-best">best</span>}
                  </th>
                  <td data-name="Epoch">{checkpoint.epoch + 1}</td>
                  <td class="number" data-name="Size">
                    {bytes(checkpoint.bytes)}
                  </td>
                  <td data-name="SHA-256">
                    <code title={checkpoint.modelSha256}>{shortHash(checkpoint.modelSha256)}</code>
                  </td>
                  <td data-name="Stored">
                    <time dateTime={checkpoint.createdAt} title={dateTime(checkpoint.createdAt)}>
                      {ago(checkpoint.createdAt)}
                    </time>
                  </td>
                  <td data-name="Path" class="path">
                    <code>{checkpoint.path}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Loaded>
  );
}
