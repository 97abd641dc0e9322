/**
 * @module root: where the project lies, also for a benchmark that was compiled to `dist/`.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

export const projectRoot = dirname(
  createRequire(import.meta.url).resolve('tahoe-mutable/package.json'),
);
