import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const pure = ['room:protocol', 'room:collective', 'room:cluster', 'room:data', 'room:trainer'];

/** Which rooms a room may import: apps import libs and never each other; pure rooms import no adapter. */
const depConstraints = [
  { sourceTag: 'layer:pure', onlyDependOnLibsWithTags: pure },
  { sourceTag: 'layer:engine', onlyDependOnLibsWithTags: ['layer:pure', 'layer:engine'] },
  { sourceTag: 'layer:adapter', onlyDependOnLibsWithTags: ['layer:pure'] },
  { sourceTag: 'layer:operations', onlyDependOnLibsWithTags: ['room:metrics'] },
  {
    sourceTag: 'layer:app',
    onlyDependOnLibsWithTags: ['layer:pure', 'layer:engine', 'layer:adapter'],
  },
];

/** Third-party packages that one room alone may import. */
const owned = [
  {
    group: ['@tensorflow/*'],
    rooms: ['nn', 'graph'],
    why: 'TensorFlow stays in libs/nn and libs/graph',
  },
  { group: ['prom-client'], rooms: ['metrics'], why: 'prom-client stays in libs/metrics' },
  {
    group: ['@grafana/*', '@prometheus-io/*', '@lezer/*'],
    rooms: ['dashboards'],
    why: "Grafana's types and PromQL's parser stay in libs/dashboards",
  },
  {
    group: ['@opentelemetry/*'],
    rooms: ['tracing'],
    why: 'OpenTelemetry stays in libs/tracing',
  },
  { group: ['bullmq', 'ioredis'], rooms: ['redis'], why: 'Redis clients stay in libs/redis' },
];
const ownership = (room) =>
  owned
    .filter(({ rooms }) => !rooms.includes(room))
    .map(({ group, why }) => ({ group, message: why }));

const impureBuiltins = [
  'node:fs',
  'node:fs/promises',
  'node:net',
  'node:http',
  'node:child_process',
].map((name) => ({
  name,
  message: 'Pure rooms do no I/O; own a port and let an adapter implement it.',
}));

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', '.nx/**'],
  },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-extraneous-class': 'off',
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          // The coordinator serves the console's built files and imports none of its code.
          allow: ['@skipring/console/package.json'],
          // Of these some entry points are loaded late: the S3 client, and TensorFlow.
          checkDynamicDependenciesExceptions: ['@skipring/checkpoint', '@skipring/graph'],
          depConstraints,
        },
      ],
      'no-restricted-imports': ['error', { patterns: ownership('') }],
      eqeqeq: 'error',
      'prefer-const': 'error',
    },
  },
  {
    // The console runs in a browser: other globals, and JSX.
    files: ['apps/console/**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { project: './apps/console/tsconfig.json' } },
  },
  ...['nn', 'graph', 'metrics', 'redis', 'dashboards', 'tracing'].map((room) => ({
    files: [`libs/${room}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: ownership(room) }] },
  })),
  ...['protocol', 'collective', 'cluster', 'data', 'trainer'].map((room) => ({
    files: [`libs/${room}/src/**/*.ts`],
    // `libs/data` keeps its file readers in an entry point of their own, apart from its pure face.
    ignores: ['libs/data/src/files.ts', 'libs/data/src/files/**', '**/*.spec.ts', '**/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ownership(room), paths: impureBuiltins }],
    },
  })),
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
        performance: 'readonly',
      },
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  prettier,
);
