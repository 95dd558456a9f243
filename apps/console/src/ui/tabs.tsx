import type { JSX } from 'preact';
import { Link } from '../router.js';

export interface Tab {
  readonly name: string;
  readonly title: string;
}

/** Parts of a page, each with an address of its own. */
export function Tabs({
  tabs,
  current,
  base,
  label,
}: {
  readonly tabs: readonly Tab[];
  readonly current: string;
  readonly base: string;
  readonly label: string;
}): JSX.Element {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ name, title }, index) => (
        <Link key={name} to={index === 0 ? base : `${base}/${name}`} isCurrent={name === current}>
          {title}
        </Link>
      ))}
    </nav>
  );
}
