import { ensureControlPlane, ensureKeda } from './build.js';

/** Builds what is missing before any test's time begins to count. */
export default async function setup(): Promise<void> {
  await ensureControlPlane();
  await ensureKeda();
}
