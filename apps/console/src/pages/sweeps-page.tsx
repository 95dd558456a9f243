import { hasTrialEnded, type SweepView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useApi, useMay } from '../client-context.js';
import { ago, dateTime } from '../format.js';
import { Link } from '../router.js';
import { scoreText } from '../sweeps/score.js';
import { Badge } from '../ui/badge.js';
import { Progress } from '../ui/progress.js';
import { Empty, Loaded } from '../ui/states.js';

const REFRESH_MS = 2_000;

export function SweepsPage(): JSX.Element {
  const sweeps = useApi('sweeps', (client) => client.sweeps(), { everyMs: REFRESH_MS });
  const canSubmit = useMay('submitter');
  return (
    <>
      <div class="page-head">
        <h1>Sweeps</h1>
        {canSubmit && (
          <Link to="/sweeps/new" class="button primary">
            New sweep
          </Link>
        )}
      </div>
      <Loaded of={sweeps} what="the sweeps">
        {(items) =>
          items.length === 0 ? (
            <Empty title="No sweeps yet">
              <p>
                A sweep trains many jobs that differ in some fields. On a terminal:{' '}
                <code>skipring sweep submit sweep.yaml</code>
              </p>
            </Empty>
          ) : (
            <SweepTable sweeps={items} />
          )
        }
      </Loaded>
    </>
  );
}

function SweepTable({ sweeps }: { readonly sweeps: readonly SweepView[] }): JSX.Element {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Sweep</th>
          <th scope="col">State</th>
          <th scope="col">Strategy</th>
          <th scope="col">Trials ended</th>
          <th scope="col" class="number">
            Best
          </th>
          <th scope="col">Owner</th>
          <th scope="col">Submitted</th>
        </tr>
      </thead>
      <tbody>
        {sweeps.map(({ id, name, state, spec, trials, best, owner, createdAt }) => (
          <tr key={id}>
            <th scope="row" class="wide">
              <Link to={`/sweeps/${id}`}>{name}</Link>
              <span class="id">{id}</span>
            </th>
            <td class="wide">
              <Badge state={state} />
            </td>
            <td data-name="Strategy">{spec.strategy.kind}</td>
            <td data-name="Trials ended">
              <Progress
                progress={{
                  step: trials.filter(hasTrialEnded).length,
                  totalSteps: trials.length,
                }}
              />
            </td>
            <td class="number" data-name={`Best ${spec.objective}`}>
              {scoreText(spec.objective, best?.score ?? null)}
            </td>
            <td data-name="Owner">{owner}</td>
            <td data-name="Submitted">
              <time dateTime={createdAt} title={dateTime(createdAt)}>
                {ago(createdAt)}
              </time>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
