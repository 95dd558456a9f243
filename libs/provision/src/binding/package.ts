import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ProvisionError } from '../errors.js';

/** The npm packages that the binding is built from and installed into. */
export interface BindingPackages {
  /** Directory of `@tensorflow/tfjs-node-gpu`. */
  readonly tfjsDir: string;
  readonly tfjsVersion: string;
  /** Sources of the binding, absolute. */
  readonly sources: readonly string[];
  /** Directory of Node-API's C headers. */
  readonly nodeApiIncludeDir: string;
  readonly nodeApiVersion: string;
  /** Where the package's loader looks for the binding. */
  readonly installedPath: string;
}

/**
 * Finds the packages as a module in `packageRoot` would.
 *
 * @throws ProvisionError `TFJS_MISSING` when one is not installed.
 */
export function findBindingPackages(packageRoot: string): BindingPackages {
  const require = createRequire(join(packageRoot, 'package.json'));
  const resolvePackage = (name: string): string => {
    try {
      return dirname(require.resolve(`${name}/package.json`));
    } catch (error) {
      throw new ProvisionError(
        'TFJS_MISSING',
        `the npm package ${name} is not installed in ${packageRoot}`,
        'run npm run setup',
        { cause: error },
      );
    }
  };
  const tfjsDir = resolvePackage('@tensorflow/tfjs-node-gpu');
  const nodeApiDir = resolvePackage('node-api-headers');
  return {
    tfjsDir,
    tfjsVersion: versionOf(tfjsDir),
    sources: ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(tfjsDir, 'binding', name)),
    nodeApiIncludeDir: join(nodeApiDir, 'include'),
    nodeApiVersion: versionOf(nodeApiDir),
    // The package declares Node-API version 8 as its newest, and its loader asks for the newest.
    installedPath: join(tfjsDir, 'lib', 'napi-v8', 'tfjs_binding.node'),
  };
}

function versionOf(packageDir: string): string {
  const text = readFileSync(join(packageDir, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
