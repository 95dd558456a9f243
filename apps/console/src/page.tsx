import type { JSX } from 'preact';
import { OnlyFor } from './access/only-for.js';
import { AuditPage } from './pages/audit-page.js';
import { ComparePage } from './pages/compare-page.js';
import { DataSetPage } from './pages/data-set-page.js';
import { DataSetsPage } from './pages/data-sets-page.js';
import { JobPage } from './pages/job-page.js';
import { JobsPage } from './pages/jobs-page.js';
import { SubmitPage } from './pages/submit-page.js';
import { SubmitSweepPage } from './pages/submit-sweep-page.js';
import { SweepPage } from './pages/sweep-page.js';
import { SweepsPage } from './pages/sweeps-page.js';
import { TokensPage } from './pages/tokens-page.js';
import { WebhookPage } from './pages/webhook-page.js';
import { WebhooksPage } from './pages/webhooks-page.js';
import { WorkersPage } from './pages/workers-page.js';
import { Link, useLocation } from './router.js';

/** The page of the address. */
export function Page(): JSX.Element {
  const { pathname, searchParams } = useLocation();
  const [first = 'jobs', second, third] = pathname.split('/').filter((part) => part !== '');
  const name = second === undefined ? undefined : decodeURIComponent(second);
  const from = searchParams.get('from');
  switch (first) {
    case 'jobs':
      return name === undefined ? <JobsPage /> : <JobPage key={name} id={name} tab={third} />;
    case 'compare':
      return <ComparePage ids={(searchParams.get('jobs') ?? '').split(',').filter(Boolean)} />;
    case 'sweeps':
      if (name === undefined) return <SweepsPage />;
      if (name !== 'new') return <SweepPage key={name} id={name} />;
      return <OnlyFor role="submitter">{() => <SubmitSweepPage from={from} />}</OnlyFor>;
    case 'workers':
      return <WorkersPage />;
    case 'data-sets':
      return name === undefined ? <DataSetsPage /> : <DataSetPage key={name} name={name} />;
    case 'submit':
      return <OnlyFor role="submitter">{() => <SubmitPage from={from} />}</OnlyFor>;
    case 'webhooks':
      return (
        <OnlyFor role="submitter">
          {() => (name === undefined ? <WebhooksPage /> : <WebhookPage key={name} name={name} />)}
        </OnlyFor>
      );
    case 'tokens':
      return <OnlyFor role="admin">{() => <TokensPage />}</OnlyFor>;
    case 'audit':
      return <OnlyFor role="admin">{() => <AuditPage />}</OnlyFor>;
    default:
      return (
        <div class="state">
          <h1>There is no such page</h1>
          <p>
            <Link to="/jobs">Go to the jobs</Link>
          </p>
        </div>
      );
  }
}
