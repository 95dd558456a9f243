import { hasRole, type Role } from '@skipring/protocol';
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useMay, usePrincipal } from '../client-context.js';
import { Link, useLocation } from '../router.js';
import { currentTheme, nextTheme, setTheme } from '../theme.js';

/** Each with the role that it is for. */
const PAGES: readonly (readonly [path: string, title: string, role: Role])[] = [
  ['/jobs', 'Jobs', 'viewer'],
  ['/sweeps', 'Sweeps', 'viewer'],
  ['/compare', 'Compare', 'viewer'],
  ['/workers', 'Workers', 'viewer'],
  ['/data-sets', 'Data sets', 'viewer'],
  ['/webhooks', 'Webhooks', 'submitter'],
  ['/tokens', 'Tokens', 'admin'],
  ['/audit', 'Audit', 'admin'],
];

/** The bar with the pages, and the page below it. */
export function Shell({
  onSignOut,
  children,
}: {
  /** Null where no token was asked for. */
  readonly onSignOut: (() => void) | null;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { pathname } = useLocation();
  const principal = usePrincipal();
  const canSubmit = useMay('submitter');
  const isIn = (path: string): boolean =>
    pathname.startsWith(path) || (path === '/jobs' && pathname === '/');
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="bar">
        <Link to="/jobs" class="brand" aria-label="Skipring, all jobs">
          <img src="/favicon.svg" alt="" width="22" height="22" />
          <span>Skipring</span>
        </Link>
        <nav aria-label="Pages">
          {PAGES.filter(
            ([, , role]) =>
              role === 'viewer' || (principal !== null && hasRole(principal.role, role)),
          ).map(([path, title]) => (
            <Link key={path} to={path} isCurrent={isIn(path)}>
              {title}
            </Link>
          ))}
        </nav>
        <div class="bar-end">
          {canSubmit && (
            <Link to="/submit" class="button primary" isCurrent={isIn('/submit')}>
              Submit<span class="wide-only"> a job</span>
            </Link>
          )}
          <ThemeSwitch />
          {onSignOut !== null && (
            <button
              type="button"
              class="quiet"
              title={principal === null ? '' : `Signed in as ${principal.name}, ${principal.role}`}
              onClick={onSignOut}
            >
              Sign out
            </button>
          )}
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

const THEME_ICONS = { auto: '◐', light: '☀', dark: '☾' } as const;

export function ThemeSwitch(): JSX.Element {
  const [theme, setShown] = useState(currentTheme);
  const next = nextTheme(theme);
  return (
    <button
      type="button"
      class="quiet icon"
      title={`Theme: ${theme}`}
      aria-label={`Theme is ${theme}; change to ${next}`}
      onClick={() => {
        setTheme(next);
        setShown(next);
      }}
    >
      <span aria-hidden="true">{THEME_ICONS[theme]}</span>
    </button>
  );
}
