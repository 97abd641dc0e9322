import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  root: path('.'),
  // Relative: the build opens from any folder of any web server.
  base: './',
  resolve: { alias: { '#crypto': path('../src/crypto/portable.ts') } },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    outDir: path('../dist/visualizer'),
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    // The layout engine comes as it is, in a file of its own.
    chunkSizeWarningLimit: 1500,
  },
  server: { host: '127.0.0.1', fs: { allow: [path('..')] } },
});
