import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@skipring/source', 'node', 'development|production'];

// A run of its own (`npm run test:kubernetes`): the first one builds Kubernetes and KEDA.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: 'kubernetes',
    pool: 'forks',
    include: ['test/kubernetes/**/*.test.ts'],
    globalSetup: ['test/kubernetes/programs/global-setup.ts'],
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
});
