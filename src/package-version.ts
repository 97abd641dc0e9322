/**
 * @module package-version: which version of this package runs.
 */
import { createRequire } from 'node:module';

export function packageVersion(): string {
  return createRequire(import.meta.url)('tahoe-mutable/package.json').version;
}
