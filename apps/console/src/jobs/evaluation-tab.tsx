import type { EvaluationResult, JobView, ScoredSample } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useApi } from '../client-context.js';
import { integer, percent, significant } from '../format.js';
import { SamplePicture } from '../ui/sample-picture.js';
import { Empty, Loading } from '../ui/states.js';
import { ConfusionMatrix } from './confusion-matrix.js';

export function EvaluationTab({
  job,
  evaluations,
  isLoaded,
}: {
  readonly job: JobView;
  readonly evaluations: readonly EvaluationResult[];
  readonly isLoaded: boolean;
}): JSX.Element {
  const { dataSet: name } = job.spec.data;
  const dataSet = useApi(`data-set ${name}`, (client) => client.dataSet(name));
  const [chosen, setChosen] = useState<number | null>(null);
  const shown = evaluations.find(({ step }) => step === chosen) ?? evaluations.at(-1);
  if (!isLoaded) return <Loading what="the evaluations" />;
  if (shown === undefined) {
    return (
      <Empty title="No evaluation yet">
        <p>The model is tried on the test split at the end of an epoch.</p>
      </Empty>
    );
  }
  const classes =
    dataSet.value?.manifest?.classes ?? shown.confusion.map((_, index) => String(index));
  return (
    <>
      <div class="tools">
        <label>
          Evaluation{' '}
          <select
            value={shown.step}
            onChange={(event) => {
              setChosen(Number(event.currentTarget.value));
            }}
          >
            {evaluations.toReversed().map(({ step, epoch, accuracy }) => (
              <option key={step} value={step}>
                epoch {epoch + 1}, step {integer(step)}: {percent(accuracy)}
              </option>
            ))}
          </select>
        </label>
        <span>
          {percent(shown.accuracy)} of {integer(shown.samples)} samples, loss{' '}
          {significant(shown.loss)}
        </span>
      </div>
      <section class="card" aria-labelledby="confusion">
        <h2 id="confusion">Confusion matrix</h2>
        <ConfusionMatrix confusion={shown.confusion} classes={classes} />
      </section>
      <section class="card" aria-labelledby="worst">
        <h2 id="worst">Worst-classified test images</h2>
        <WorstSamples dataSet={name} worst={shown.worst} classes={classes} />
      </section>
    </>
  );
}

function WorstSamples({
  dataSet,
  worst,
  classes,
}: {
  readonly dataSet: string;
  readonly worst: readonly ScoredSample[];
  readonly classes: readonly string[];
}): JSX.Element {
  if (worst.length === 0) return <p class="note">This evaluation names none.</p>;
  return (
    <ul class="pictures worst">
      {worst.map(({ sample, label, predicted, loss }) => {
        const truth = classes[label] ?? String(label);
        const guess = classes[predicted] ?? String(predicted);
        return (
          <li key={sample} class={label === predicted ? 'right' : 'wrong'}>
            <SamplePicture
              dataSet={dataSet}
              split="test"
              sample={sample}
              title={`Test sample ${sample}: ${truth}, taken for ${guess}`}
            />
            <span>
              <strong>{truth}</strong>
              <br />
              taken for {guess}
              <br />
              <span class="id number">loss {significant(loss)}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
