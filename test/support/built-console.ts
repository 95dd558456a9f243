import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The directory of the console as `npm run setup` has bundled it. */
export function builtConsole(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('@skipring/console/package.json')), 'dist', 'web');
}
