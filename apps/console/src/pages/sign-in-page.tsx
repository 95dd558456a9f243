import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ThemeSwitch } from '../ui/shell.js';
import { messageOf } from '../ui/states.js';

export function SignInPage({
  wasGiven,
  onToken,
}: {
  /** A token was given before, and is no longer taken. */
  readonly wasGiven: boolean;
  /** Resolves to whether the token is taken. */
  readonly onToken: (token: string) => Promise<boolean>;
}): JSX.Element {
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState(
    wasGiven ? 'The token is no longer taken. Sign in again.' : null,
  );
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      const isTaken = await onToken(token.trim());
      setProblem(isTaken ? null : 'The coordinator does not take this token.');
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in" id="main">
      <form onSubmit={(event) => void submit(event)}>
        <img src="/favicon.svg" alt="" width="48" height="48" />
        <h1>Skipring</h1>
        <label for="token">API token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          value={token}
          aria-invalid={problem !== null}
          aria-describedby="token-note"
          onInput={(event) => {
            setToken(event.currentTarget.value);
          }}
        />
        {problem !== null && (
          <p class="field-error" role="alert">
            {problem}
          </p>
        )}
        <p id="token-note" class="note">
          <code>skipring up</code> leaves it in its data directory, in <code>endpoint.json</code>.
          It is kept in this tab alone.
        </p>
        <button type="submit" class="primary" disabled={isBusy || token.trim() === ''}>
          Sign in
        </button>
      </form>
      <ThemeSwitch />
    </main>
  );
}
