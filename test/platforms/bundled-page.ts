/**
 * @module bundled-page: a program as a bundler makes it for a browser, from the package as it was
 * installed.
 */
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';

/** Minified; the first one is the entry, which loads the others when it needs them. */
export async function bundleForBrowser(folder: string, file: string): Promise<OutputChunk[]> {
  const bundle = await rolldown({
    input: join(folder, file),
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  });
  try {
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    return output.filter((part) => part.type === 'chunk');
  } finally {
    await bundle.close();
  }
}
