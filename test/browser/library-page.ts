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
  const script = await scriptOf('test/browser/page-library.ts');
  const server = createServer((request, response) => {
    const [type, body] =
      request.url === '/library.js' ? ['text/javascript', script] : ['text/html', PAGE];
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

async function scriptOf(input: string): Promise<string> {
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: 'browser',
    resolve: { alias: { '#crypto': join(root, 'src/crypto/portable.ts') } },
  });
  const { output } = await bundle.generate({ format: 'es', minify: true });
  await bundle.close();
  return output[0].code;
}
