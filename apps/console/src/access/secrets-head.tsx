import type { JSX } from 'preact';
import { SecretNotice } from '../ui/secret-notice.js';
import { OverlapChoice } from './overlap-choice.js';
import type { NewSecret } from './use-new-secret.js';

/** The head of a page of things that have a secret each, with the newest secret below it. */
export function SecretsHead<T>({
  title,
  of: { made, overlapMs, setOverlapMs, putAway },
  noticeOf,
  secretOf,
}: {
  readonly title: string;
  readonly of: NewSecret<T>;
  readonly noticeOf: (made: T) => string;
  readonly secretOf: (made: T) => string;
}): JSX.Element {
  return (
    <>
      <div class="page-head">
        <h1>{title}</h1>
        <div class="tools">
          <OverlapChoice overlapMs={overlapMs} onChange={setOverlapMs} />
        </div>
      </div>
      {made !== null && (
        <SecretNotice title={noticeOf(made)} secret={secretOf(made)} onDone={putAway} />
      )}
    </>
  );
}
