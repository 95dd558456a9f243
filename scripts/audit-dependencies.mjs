import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const AUDIT_TIMEOUT_MS = 60_000;

/**
 * Packages of the lock file whose licence is not allowed, as `name@version licence`. What only
 * development needs, and nobody is given, may have some more; `exceptions` name the licences of
 * packages that say theirs in a text alone; `allowedFor` has further ones of packages, by how their
 * names begin, that are given on as they are.
 */
export function licenceProblems(lock, rules) {
  const { allowed, allowedInDevelopment, exceptions, allowedFor = {} } = rules;
  return Object.entries(lock.packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .flatMap(([path, { version, license, dev }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const licence = exceptions[name] ?? license ?? '(none)';
      const own = Object.entries(allowedFor).filter(([prefix]) => name.startsWith(prefix));
      const further = [
        ...own.map(([, named]) => named),
        ...(dev === true ? allowedInDevelopment : []),
      ];
      const accepted = [...allowed, ...further];
      return isAllowed(licence, accepted) ? [] : [`${name}@${version} ${licence}`];
    });
}

/** `(A OR B)` needs one that is allowed, `A AND B` all. */
function isAllowed(licence, allowed) {
  const bare = licence.replace(/^\((.*)\)$/, '$1');
  if (bare.includes(' OR ')) return bare.split(' OR ').some((part) => isAllowed(part, allowed));
  return bare.split(' AND ').every((part) => allowed.includes(part.trim()));
}

/** What npm knows of weaknesses: `ok`, `found` or, where the registry has no answer, `unknown`. */
function npmAudit() {
  const args = ['audit', '--omit=dev', '--audit-level=high', '--audit=true'];
  const run = spawnSync('npm', args, { cwd: root, encoding: 'utf8', timeout: AUDIT_TIMEOUT_MS });
  const text = `${run.stdout}${run.stderr}`;
  if (run.status === 0) return { verdict: 'ok', text };
  const isAnswer = /severity|vulnerabilit/i.test(run.stdout);
  return { verdict: isAnswer ? 'found' : 'unknown', text };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const problems = licenceProblems(read('package-lock.json'), read('scripts/licences.json'));
  for (const problem of problems) console.error(`licence not allowed: ${problem}`);
  if (problems.length === 0) console.log('licences: all are in scripts/licences.json');
  const { verdict, text } = npmAudit();
  if (verdict === 'found') console.error(text);
  if (verdict === 'ok') console.log('npm audit: nothing of level high or above');
  if (verdict === 'unknown') {
    console.log('npm audit: the registry does not answer; known weaknesses were not looked for');
  }
  if (problems.length > 0 || verdict === 'found') process.exitCode = 1;
}
