import { rm } from 'node:fs/promises';
import type { BindingPackages } from './package.js';
import type { BindingProbe } from './probe.js';
import { installBinding } from './install.js';

/** The steps to a binding that works; `provision` wires them. */
export interface BindingSteps {
  /** Builds the binding unless it lies in the cache. */
  build(): Promise<{ readonly path: string; readonly wasCached: boolean }>;
  /** Loads the installed binding; rejects when that fails. */
  probe(): Promise<BindingProbe>;
  /** Told before a cached binding that does not load is built anew. */
  onRebuild(): void;
}

/**
 * Installs the binding and, when that changed anything, loads it once. One that does not load is kept
 * nowhere, or the next set-up would believe it; one from the cache is built anew first.
 *
 * @returns what the probe found, or `undefined` when the binding was in place already.
 */
export async function installWorkingBinding(
  { installedPath }: Pick<BindingPackages, 'installedPath'>,
  steps: BindingSteps,
): Promise<BindingProbe | undefined> {
  for (;;) {
    const { path, wasCached } = await steps.build();
    if (!(await installBinding(path, installedPath))) return undefined;
    try {
      return await steps.probe();
    } catch (error) {
      await Promise.all([installedPath, path].map((file) => rm(file, { force: true })));
      // A build that was not cached has just been made: another would be the same.
      if (!wasCached) throw error;
      steps.onRebuild();
    }
  }
}
