// Writes what is installed in the working directory's node_modules as a CycloneDX list of packages.
import { existsSync, readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8'));
const components = Object.entries(packages)
  .filter(([path, { link }]) => link !== true && existsSync(path))
  .map(([path, { name, version, license }]) => {
    const named = name ?? path.replace(/^.*node_modules\//, '');
    return {
      type: 'library',
      name: named,
      version,
      purl: `pkg:npm/${named.replace('@', '%40')}@${version}`,
      ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    };
  });
process.stdout.write(
  `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components }, null, 2)}\n`,
);
