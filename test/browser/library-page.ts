/**
 * @module library-page: a blank page with the library in it, on loopback.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from '../support/root.ts';

/** What `page.evaluate` finds as `library`. */
export type Library = typeof import('./page-library.ts');

export interface LibraryPage {
  readonly origin: string;
  close(): Promise<void>;
}

const PAGE = `<!doctype html><title>A page</title><link rel="icon" href="data:,">
<script type="module">
  import * as library from '/library.js';
  Object.assign(globalThis, { library });
</script>`;

/** Serves the page. */
export async function serveLibrary(): Promise<LibraryPage> {
  const scripts = await scriptsOf('test/browser/page-library.ts');
  const server = createServer((request, response) => {
    const script = scripts.get(request.url ?? '');
    const [type, body] = script === undefined ? ['text/html', PAGE] : ['text/javascript', script];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** By their paths; what is loaded later has one of its own. */
async function scriptsOf(input: string): Promise<ReadonlyMap<string, string>> {
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: 'browser',
    resolve: { alias: { '#crypto': join(root, 'src/crypto/portable.ts') } },
  });
  const { output } = await bundle.generate({
    ...{ format: 'es', minify: true },
    entryFileNames: 'library.js',
  });
  await bundle.close();
  return new Map(
    output.flatMap((part) => (part.type === 'chunk' ? [[`/${part.fileName}`, part.code]] : [])),
  );
}
