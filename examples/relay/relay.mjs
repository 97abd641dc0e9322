/**
 * A relay: pages reach Tahoe-LAFS storage servers through it, by `FetchServer`. Put it behind
 * whatever ends TLS for your site, on a machine that you trust: docs/browser.md says with what.
 *
 * It holds the swissnums, and pins each server's key as Tahoe does; to pages it shows neither. It
 * answers pages of one origin only, who know `token`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';

/** All that the protocol needs, of what a page may ask for. */
const METHODS = ['GET', 'POST', 'PUT'];
/** For TCP and the TLS handshake together. */
const CONNECT_MS = 10_000;

/**
 * @param {Record<string, { host: string, port: number, spkiHash: string, authorization(): string }>}
 *   servers by the name that they have in a path: what `parseNurl` of `tahoe-mutable/node` gives
 * @param {{ origin: string, token: string }} options the origin of the pages, and what they say in
 *   `Authorization: Bearer …`
 * @returns a server that does not listen yet: `GET /NAME/storage/v1/…` and so on
 */
export function createRelay(servers, { origin, token }) {
  const backends = new Map(
    Object.entries(servers).map(([name, nurl]) => [name, { nurl, agent: pinnedAgent(nurl) }]),
  );
  const relay = createServer((incoming, outgoing) => {
    const cors = {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Expose-Headers': 'Content-Range',
      Vary: 'Origin',
    };
    const [, name, path] =
      /^\/([\w-]+)(\/storage\/v1\/[a-z0-9/-]+)$/.exec(incoming.url ?? '') ?? [];
    const backend = backends.get(name);
    // Every refusal has a text: an empty 401 is a server's own, and means the write enabler.
    if (incoming.method === 'OPTIONS') {
      const preflight = {
        'Access-Control-Allow-Methods': METHODS.join(', '),
        'Access-Control-Allow-Headers': 'Authorization, Content-Type, Range, X-Tahoe-Authorization',
        'Access-Control-Max-Age': '7200',
      };
      outgoing.writeHead(204, { ...cors, ...preflight }).end();
    } else if (!isEqual(incoming.headers.authorization ?? '', `Bearer ${token}`)) {
      outgoing.writeHead(403, cors).end('no such token\n');
    } else if (!METHODS.includes(incoming.method)) {
      outgoing.writeHead(405, { ...cors, Allow: METHODS.join(', ') }).end('no such method\n');
    } else if (backend === undefined) {
      outgoing.writeHead(404, cors).end('no such server\n');
    } else {
      forward(incoming, outgoing, { ...backend, path, cors });
    }
  });
  relay.on('close', () => {
    for (const { agent } of backends.values()) agent.destroy();
  });
  return relay;
}

function forward(incoming, outgoing, { nurl, agent, path, cors }) {
  const { host, port } = nurl;
  const { method } = incoming;
  const givenUp = new AbortController();
  const upstream = httpsRequest({ agent, host, port, method, path, givenUp: givenUp.signal });
  upstream.setHeader('Authorization', nurl.authorization());
  for (const name of ['accept', 'content-length', 'content-type', 'range']) {
    if (incoming.headers[name] !== undefined) upstream.setHeader(name, incoming.headers[name]);
  }
  // `fetch` joins what Tahoe takes line by line only.
  const secrets = incoming.headers['x-tahoe-authorization']?.split(/, */);
  if (secrets !== undefined) upstream.setHeader('X-Tahoe-Authorization', secrets);
  upstream.on('response', (answer) => {
    const headers = { ...cors };
    for (const name of ['content-type', 'content-range', 'content-length']) {
      if (answer.headers[name] !== undefined) headers[name] = answer.headers[name];
    }
    outgoing.writeHead(answer.statusCode, headers);
    answer.pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
  });
  upstream.on('error', () => {
    if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
    else outgoing.writeHead(502, cors).end('the server does not answer\n');
  });
  outgoing.on('close', () => {
    if (outgoing.writableFinished) return;
    // The agent may make another connection with these options, once this request has had its own.
    if (!upstream.socket) givenUp.abort();
    upstream.destroy();
  });
  incoming.pipe(upstream);
}

/** Nothing is sent on a connection before the server's key is known to be the one in its NURL. */
function pinnedAgent({ host, port, spkiHash }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  agent.createConnection = ({ givenUp }, callback) => {
    void pinned(givenUp).then((socket) => callback(null, socket), callback);
  };
  return agent;

  async function pinned(givenUp) {
    const socket = connect({ host, port, rejectUnauthorized: false });
    // Stays on: nobody else listens until the request has it.
    socket.on('error', () => {});
    const giveUp = () => socket.destroy(new Error('nobody waits for the server any longer'));
    const timer = setTimeout(giveUp, CONNECT_MS);
    givenUp.addEventListener('abort', giveUp);
    try {
      await once(socket, 'secureConnect');
      const key = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' });
      if (isEqual(createHash('sha256').update(key).digest('base64url'), spkiHash)) return socket;
      throw new Error('the server has another key than its NURL says');
    } catch (problem) {
      socket.destroy();
      throw problem;
    } finally {
      clearTimeout(timer);
      givenUp.removeEventListener('abort', giveUp);
    }
  }
}

function isEqual(a, b) {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(left, right);
}
