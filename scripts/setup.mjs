#!/usr/bin/env node
// Makes a checkout ready to run: npm packages, compiled TypeScript, the console's
// bundle, and everything native. Needs
// nothing but Node.js and npm, and does again only what is out of date.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildConsole } from './setup/console.mjs';
import { childEnvironment } from './setup/environment.mjs';
import { withCheckoutLock } from './setup/lock.mjs';
import { unsupportedReason } from './setup/machine.mjs';
import { installPackages } from './setup/packages.mjs';
import { runStep, StepError } from './setup/step.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (message) => process.stderr.write(`setup: ${message}\n`);

async function main() {
  const reason = unsupportedReason();
  if (reason) throw new StepError(reason, 1);
  const env = childEnvironment(process.env);
  await withCheckoutLock(
    root,
    () => say('waiting for another set-up of this checkout'),
    async () => {
      await installPackages(root, env, say);
      await build(env);
      await buildConsole(root, env, say);
      await provision(env);
    },
  );
}

async function build(env) {
  if (!existsSync(join(root, 'apps', 'cli', 'dist', 'main.js'))) say('compiling TypeScript');
  const tsc = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc');
  await runStep('the TypeScript build', [tsc, '-b'], { cwd: root, env });
}

async function provision(env) {
  const main = join(root, 'libs', 'provision', 'dist', 'main.js');
  await runStep('provisioning', [main], { cwd: root, env });
}

main().catch((error) => {
  if (!(error instanceof StepError)) throw error;
  if (error.message) say(error.message);
  process.exitCode = error.exitCode;
});
