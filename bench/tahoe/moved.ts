/**
 * @module moved: a description of a real grid in which its servers are at other ports of this machine.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RealGrid } from '../../test/interop/real-grid.ts';

/** @returns the path of the new description */
export async function moved(
  real: RealGrid,
  name: string,
  portOf: (port: number) => number,
): Promise<string> {
  const text = await readFile(real.serversYaml, 'utf8');
  const path = join(real.folder, name);
  await writeFile(path, elsewhere(text, portOf));
  return path;
}

/** The same text, with other ports in the addresses of the servers. */
export function elsewhere(text: string, portOf: (port: number) => number): string {
  return text.replace(/@127\.0\.0\.1:(\d+)\//g, (_, port) => `@127.0.0.1:${portOf(Number(port))}/`);
}
