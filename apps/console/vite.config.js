import { defineConfig } from 'vite';

// Workspace packages are bundled from their TypeScript sources: no build of theirs is needed first.
export default defineConfig({
  base: '/',
  resolve: { conditions: ['@skipring/source', 'module', 'browser', 'development|production'] },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: 'dist/web',
    target: 'es2022',
    // Nothing inline: the content security policy lets only files of this origin run.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      // Zod has comments that look like annotations to the bundler and are none.
      onwarn(warning, warn) {
        if (warning.code !== 'INVALID_ANNOTATION') warn(warning);
      },
    },
  },
});
