import { trialsBestFirst, type SweepView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { Link } from '../router.js';
import { Badge } from '../ui/badge.js';
import { parameterText, scoreShare, scoreText } from './score.js';

/** The trials of a sweep, the best first, with what they differ in. */
export function TrialTable({ sweep }: { readonly sweep: SweepView }): JSX.Element {
  const { spec, trials, best } = sweep;
  const { objective } = spec;
  const fields = Object.keys(spec.parameters);
  const hasRungs = spec.strategy.kind === 'halving';
  const shareOf = scoreShare(
    objective,
    trials.flatMap(({ score }) => (score === null ? [] : [score])),
  );
  return (
    <table class="cards trials">
      <caption class="hidden">Trials, the best first</caption>
      <thead>
        <tr>
          <th scope="col">Trial</th>
          <th scope="col">State</th>
          {hasRungs && (
            <th scope="col" class="number">
              Rung
            </th>
          )}
          <th scope="col">{objective === 'accuracy' ? 'Test accuracy' : 'Test loss'}</th>
          {fields.map((field) => (
            <th key={field} scope="col" class="number">
              <code>{field}</code>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {trialsBestFirst(sweep).map(({ index, rung, parameters, jobId, state, reason, score }) => (
          <tr key={`${rung} ${index}`}>
            <th scope="row" class="wide">
              {jobId === null ? `Trial ${index}` : <Link to={`/jobs/${jobId}`}>Trial {index}</Link>}
              {jobId !== null && <span class="id">{jobId}</span>}
            </th>
            <td class="wide">
              <Badge state={state ?? 'waits'} />
              {best?.index === index && best.rung === rung && (
                <>
                  {' '}
                  <Badge state="best" />
                </>
              )}
              {reason !== '' && state !== 'succeeded' && <span class="reason">{reason}</span>}
            </td>
            {hasRungs && (
              <td class="number" data-name="Rung">
                {rung}
              </td>
            )}
            <td data-name={objective}>
              {scoreText(objective, score)}
              {score !== null && (
                <span class="score-bar" style={{ width: `${100 * shareOf(score)}%` }} />
              )}
            </td>
            {fields.map((field) => (
              <td key={field} class="number" data-name={field}>
                {parameterText(parameters[field])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
