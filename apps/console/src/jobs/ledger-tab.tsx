import type { LedgerView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useApi } from '../client-context.js';
import { integer } from '../format.js';
import { Badge } from '../ui/badge.js';
import { Figure } from '../ui/figure.js';
import { Empty, Loaded } from '../ui/states.js';

const REFRESH_MS = 5_000;

/** Which samples went into which committed steps: each of an epoch exactly once. */
export function LedgerTab({
  jobId,
  isLive,
}: {
  readonly jobId: string;
  readonly isLive: boolean;
}): JSX.Element {
  const ledger = useApi(`ledger ${jobId}`, (client) => client.ledger(jobId), {
    everyMs: isLive ? REFRESH_MS : undefined,
  });
  return (
    <Loaded of={ledger} what="the ledger">
      {(found) =>
        found.summary === null ? (
          <Empty title="No attempt has begun yet" />
        ) : (
          <Ledger ledger={found} summary={found.summary} />
        )
      }
    </Loaded>
  );
}

function Ledger({
  ledger,
  summary,
}: {
  readonly ledger: LedgerView;
  readonly summary: NonNullable<LedgerView['summary']>;
}): JSX.Element {
  return (
    <>
      <dl class="figures">
        <Figure name="Every sample once an epoch">{ledger.isExact ? 'yes' : 'no'}</Figure>
        <Figure name="Samples in an epoch">{integer(summary.numSamples)}</Figure>
        <Figure name="Samples in a step">{integer(summary.batchSize)}</Figure>
        <Figure name="Steps taken again">{integer(summary.numRedone)}</Figure>
        {summary.numFolded > 0 && (
          <Figure name="Earlier epochs">
            {integer(summary.numFolded - summary.numFoldedViolated)} of {integer(summary.numFolded)}{' '}
            exact
          </Figure>
        )}
      </dl>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Epoch</th>
            <th scope="col">Verdict</th>
            <th scope="col" class="number">
              Samples used
            </th>
            <th scope="col">Steps, by generation</th>
          </tr>
        </thead>
        <tbody>
          {ledger.epochs.toReversed().map(({ epoch, verdict, problems, samples, ranges }) => (
            <tr key={epoch}>
              <th scope="row" class="wide">
                Epoch {epoch + 1}
              </th>
              <td class="wide">
                <Badge state={verdict} />
                {problems.length > 0 && <span class="reason">{problems.join('; ')}</span>}
              </td>
              <td class="number" data-name="Samples used">
                {integer(samples)}
              </td>
              <td data-name="Steps">
                {ranges
                  .filter(({ isSuperseded }) => !isSuperseded)
                  .map(
                    ({ fromStep, toStep, attempt, generation }) =>
                      `${integer(fromStep)}–${integer(toStep)} in ${attempt}.${generation}`,
                  )
                  .join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
