import type { PrincipalView } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { askPrincipal } from './ask-principal.js';
import { ClientContext } from './client-context.js';
import { Page } from './page.js';
import { SignInPage } from './pages/sign-in-page.js';
import { clientOf, storedToken, storeToken } from './session.js';
import { Shell } from './ui/shell.js';
import { Loading } from './ui/states.js';

/** A coordinator that was not reached is asked again after this. */
const ASK_AGAIN_MS = 3_000;

type Access =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'granted'; readonly principal: PrincipalView | null };

/** Asks for a token where the coordinator does, then shows the page of the address. */
export function App(): JSX.Element {
  const [token, setToken] = useState(storedToken);
  const [access, setAccess] = useState<Access>({ kind: 'unknown' });
  const onRefused = useCallback(() => {
    setAccess({ kind: 'refused' });
  }, []);
  const client = useMemo(() => clientOf(token), [token]);

  useEffect(() => {
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      let next: Access;
      try {
        const principal = await askPrincipal(client);
        next = principal === null ? { kind: 'refused' } : { kind: 'granted', principal };
      } catch {
        // Not reachable: the pages say so, and go on when it is.
        next = { kind: 'granted', principal: null };
        timer = setTimeout(() => void ask(), ASK_AGAIN_MS);
      }
      if (isCurrent) setAccess(next);
      else clearTimeout(timer);
    };
    void ask();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [client]);

  const signIn = async (given: string): Promise<boolean> => {
    const principal = await askPrincipal(clientOf(given));
    if (principal === null) return false;
    storeToken(given);
    setToken(given);
    setAccess({ kind: 'granted', principal });
    return true;
  };
  const signOut = (): void => {
    storeToken(null);
    setToken(null);
    setAccess({ kind: 'unknown' });
  };

  if (access.kind === 'unknown') return <Loading what="the console" />;
  if (access.kind === 'refused') return <SignInPage wasGiven={token !== null} onToken={signIn} />;
  return (
    <ClientContext.Provider value={{ client, principal: access.principal, onRefused }}>
      <Shell onSignOut={token === null ? null : signOut}>
        <Page />
      </Shell>
    </ClientContext.Provider>
  );
}
