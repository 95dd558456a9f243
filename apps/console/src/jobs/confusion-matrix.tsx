import type { JSX } from 'preact';
import { integer, percent } from '../format.js';

/** More classes than this are listed by their mistakes, not shown as a table. */
const MAX_TABLE_CLASSES = 32;
const MAX_MISTAKES = 40;

/** Rows are true classes, columns what the model took them for. */
export function ConfusionMatrix({
  confusion,
  classes,
}: {
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly string[];
}): JSX.Element {
  if (confusion.length > MAX_TABLE_CLASSES) {
    return <Mistakes confusion={confusion} classes={classes} />;
  }
  return (
    // The table may be wider than the page: it scrolls, also by keys.
    <div class="scroll" tabIndex={0} role="region" aria-label="Confusion matrix, scrolls">
      <table class="confusion">
        <caption class="hidden">Rows are true classes, columns predicted ones</caption>
        <thead>
          <tr>
            <td class="corner">true ↓ predicted →</td>
            {confusion.map((_, column) => (
              <th key={column} scope="col">
                <span>{classes[column]}</span>
              </th>
            ))}
            <th scope="col">
              <span>recall</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, label) => (
            <Row key={label} row={row} label={label} name={classes[label] ?? String(label)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({
  row,
  label,
  name,
}: {
  readonly row: readonly number[];
  readonly label: number;
  readonly name: string;
}): JSX.Element {
  const total = row.reduce((sum, count) => sum + count, 0);
  return (
    <tr>
      <th scope="row">{name}</th>
      {row.map((count, column) => {
        const share = total === 0 ? 0 : count / total;
        return (
          <td
            key={column}
            class={`${column === label ? 'hit' : 'miss'}${share > 0.5 ? ' strong' : ''}`}
            style={{ '--share': shade(share) }}
          >
            {count === 0 ? <span class="zero">0</span> : integer(count)}
          </td>
        );
      })}
      <td class="number">{percent(total === 0 ? null : (row[label] ?? 0) / total)}</td>
    </tr>
  );
}

/** Few mistakes are to be seen beside many hits. */
function shade(share: number): string {
  return `${Math.round(100 * Math.sqrt(share))}%`;
}

function Mistakes({
  confusion,
  classes,
}: {
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly string[];
}): JSX.Element {
  const mistakes = confusion
    .flatMap((row, label) => row.map((count, predicted) => ({ label, predicted, count })))
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_MISTAKES);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col">Taken for</th>
          <th scope="col" class="number">
            Times
          </th>
        </tr>
      </thead>
      <tbody>
        {mistakes.map(({ label, predicted, count }) => (
          <tr key={`${label} ${predicted}`}>
            <th scope="row">{classes[label]}</th>
            <td>{classes[predicted]}</td>
            <td class="number">{integer(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
