import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the build leaves the console; it may not be there. */
export function builtConsole(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('@skipring/console/package.json')), 'dist', 'web');
}
