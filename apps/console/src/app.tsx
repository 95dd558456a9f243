import { ApiError, type SkipringClient } from '@skipring/client';
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { ClientContext } from './client-context.js';
import { ComparePage } from './pages/compare-page.js';
import { DataSetPage } from './pages/data-set-page.js';
import { DataSetsPage } from './pages/data-sets-page.js';
import { JobPage } from './pages/job-page.js';
import { JobsPage } from './pages/jobs-page.js';
import { SignInPage } from './pages/sign-in-page.js';
import { SubmitPage } from './pages/submit-page.js';
import { SweepPage } from './pages/sweep-page.js';
import { SweepsPage } from './pages/sweeps-page.js';
import { WorkersPage } from './pages/workers-page.js';
import { Link, useLocation } from './router.js';
import { clientOf, storedToken, storeToken } from './session.js';
import { Shell } from './ui/shell.js';
import { Loading } from './ui/states.js';

type Access = 'unknown' | 'granted' | 'refused';

/** Asks for a token where the coordinator does, then shows the page of the address. */
export function App(): JSX.Element {
  const [token, setToken] = useState(storedToken);
  const [access, setAccess] = useState<Access>('unknown');
  const onRefused = useCallback(() => {
    setAccess('refused');
  }, []);
  const client = useMemo(() => clientOf(token), [token]);

  useEffect(() => {
    let isCurrent = true;
    const settle = (next: Access): void => {
      if (isCurrent) setAccess(next);
    };
    isAccepted(client).then(
      (accepted) => {
        settle(accepted ? 'granted' : 'refused');
      },
      // Not reachable: the pages say so, and go on when it is.
      () => {
        settle('granted');
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [client]);

  const signIn = async (given: string): Promise<boolean> => {
    if (!(await isAccepted(clientOf(given)))) return false;
    storeToken(given);
    setToken(given);
    setAccess('granted');
    return true;
  };
  const signOut = (): void => {
    storeToken(null);
    setToken(null);
    setAccess('unknown');
  };

  if (access === 'unknown') return <Loading what="the console" />;
  if (access === 'refused') return <SignInPage wasGiven={token !== null} onToken={signIn} />;
  return (
    <ClientContext.Provider value={{ client, onRefused }}>
      <Shell onSignOut={token === null ? null : signOut}>
        <Page />
      </Shell>
    </ClientContext.Provider>
  );
}

/** Whether the coordinator takes this client's token. Throws when it cannot be asked. */
async function isAccepted(client: SkipringClient): Promise<boolean> {
  try {
    await client.workers();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

function Page(): JSX.Element {
  const { pathname, searchParams } = useLocation();
  const [first = '', second, third] = pathname.split('/').filter((part) => part !== '');
  const name = second === undefined ? undefined : decodeURIComponent(second);
  if (first === '' || (first === 'jobs' && name === undefined)) return <JobsPage />;
  if (first === 'jobs' && name !== undefined) return <JobPage key={name} id={name} tab={third} />;
  if (first === 'compare') {
    return <ComparePage ids={(searchParams.get('jobs') ?? '').split(',').filter(Boolean)} />;
  }
  if (first === 'sweeps') {
    return name === undefined ? <SweepsPage /> : <SweepPage key={name} id={name} />;
  }
  if (first === 'workers') return <WorkersPage />;
  if (first === 'data-sets') {
    return name === undefined ? <DataSetsPage /> : <DataSetPage key={name} name={name} />;
  }
  if (first === 'submit') return <SubmitPage from={searchParams.get('from')} />;
  return (
    <div class="state">
      <h1>There is no such page</h1>
      <p>
        <Link to="/jobs">Go to the jobs</Link>
      </p>
    </div>
  );
}
