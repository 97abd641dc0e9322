/**
 * @module packed: the package as npm would publish it, unpacked into an empty project with nothing
 * beside it but its own dependencies and Node's types.
 *
 * `dist` must be built.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Project {
  readonly folder: string;
  remove(): void;
}

export function newProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'tahoe-mutable-types-'));
  const inside = (name: string) => join(folder, 'node_modules', name);
  const unpacked = inside('tahoe-mutable');
  mkdirSync(unpacked, { recursive: true });
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const tarball = execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', unpacked, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    mkdirSync(dirname(inside(name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), inside(name));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
