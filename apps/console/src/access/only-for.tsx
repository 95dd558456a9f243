import { hasRole, type Role } from '@skipring/protocol';
import type { JSX } from 'preact';
import { usePrincipal } from '../client-context.js';
import { Link } from '../router.js';
import { Loading } from '../ui/states.js';

/** A page for holders of a role; others are told so. The coordinator refuses them in any case. */
export function OnlyFor({
  role,
  children,
}: {
  readonly role: Role;
  readonly children: () => JSX.Element;
}): JSX.Element {
  const principal = usePrincipal();
  if (principal === null) return <Loading what="what you may do" />;
  if (hasRole(principal.role, role)) return children();
  return (
    <div class="state" role="alert">
      <h1>This page needs the role {role}</h1>
      <p>
        Your token “{principal.name}” has the role {principal.role}. Sign in with another one, or{' '}
        <Link to="/jobs">go to the jobs</Link>.
      </p>
    </div>
  );
}
