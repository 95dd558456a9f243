import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their TypeScript sources, so a unit test never runs a stale build.
// Not `module`, which is for bundlers: it names files that Node can't import.
const conditions = ['@skipring/source', 'node', 'development|production'];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          pool: 'forks',
          include: ['libs/*/src/**/*.spec.ts', 'apps/*/src/**/*.spec.ts', 'scripts/**/*.spec.ts'],
          testTimeout: 60_000,
          // Loading TensorFlow takes its time on a busy machine.
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'system',
          pool: 'forks',
          include: ['test/**/*.test.ts'],
          // Commands of their own run them: `test:kubernetes`, `test:images`, `pictures`.
          exclude: ['test/kubernetes/**', 'test/images/**', 'test/pictures/**'],
          // System tests start real servers and worker processes: one at a time on small machines.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
