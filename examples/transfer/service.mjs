/**
 * An upload and download service over a grid. Caps stay in here: clients know names.
 *
 * - `PUT /NAME` stores the body. The answer is a line of JSON for each step, the last one `stored`.
 * - `GET /NAME` gives the contents, as they arrive from the servers.
 *
 * Who hangs up ends what was done for them.
 */
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { NoSuchChildError } from 'tahoe-mutable';
import { toNodeReadable } from 'tahoe-mutable/node';

/**
 * @param {import('tahoe-mutable').Grid} grid
 * @param {import('tahoe-mutable').Directory} directory names to files
 */
export function transferService(grid, directory) {
  const calls = { PUT: upload, GET: download };

  return createServer(async (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client hung up')));
    const name = decodeURIComponent(request.url.slice(1));
    try {
      const call = calls[request.method];
      if (call === undefined) response.writeHead(405).end();
      else await call({ name, request, response, signal: gone.signal });
    } catch (error) {
      if (gone.signal.aborted || response.headersSent) response.destroy();
      else response.writeHead(error instanceof NoSuchChildError ? 404 : 502).end(error.message);
    }
  });

  async function upload({ name, request, response, signal }) {
    const tell = (step) => response.write(`${JSON.stringify(step)}\n`);
    const onProgress = ({ phase, done, total }) => tell({ phase, done, total });
    const file = await grid.create({ contents: request, signal, onProgress });
    // Not before the file is safe has it a name.
    await directory.add(name, file, { replace: 'only-files', signal });
    tell({ stored: name, bytes: (await file.stat({ signal })).size });
    response.end();
  }

  async function download({ name, response, signal }) {
    const child = await directory.get(name, { signal });
    const { size, contents } = await grid.open(child.caps.read).streamVersion({ signal });
    response.writeHead(200, { 'content-length': size });
    await pipeline(toNodeReadable(contents), response, { signal });
  }
}
