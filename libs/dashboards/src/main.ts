import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generate.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

for (const { path, text } of generatedFiles(join(root, 'deploy'))) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
