/** @module root: the project's folder, from sources and from what they were compiled to. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root: string = above(import.meta.dirname);

function above(folder: string): string {
  return existsSync(join(folder, 'tsconfig.json')) ? folder : above(dirname(folder));
}
