/**
 * @module http-pin: TLS sockets that are handed out only after the server has proved its key.
 *
 * Source: Tahoe's `storage/http_client.py` and `http-storage-node-protocol.rst`; docs/format.md
 * §7.2. A server is known by the hash of its public key: dates, names and revocation are ignored,
 * since a stock node's certificate is self-signed and expires after a year. One that a foreign
 * issuer signed is refused all the same, as Tahoe refuses it. A request gets no socket before the
 * hash was compared, so no byte of it (it carries the swissnum) can reach anybody else.
 */
import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { Nurl } from './nurl.ts';

/** Tahoe's servers close a connection that was idle for 60 s; we leave before they do. */
const IDLE_MS = 45_000;

/** OpenSSL's complaints about a certificate that do not matter when its key is the right one. */
const HARMLESS: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
]);
/** The complaint about a certificate that a foreign issuer has signed. */
const FOREIGN = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';

export interface PinSettings {
  /** Sockets kept open for reuse. */
  readonly socketsMax: number;
  /** For TCP and the TLS handshake together. */
  readonly connectMs: number;
}

type Handover = (problem: Error | null, socket: Duplex) => void;

/** An agent for one server. */
export class PinnedAgent extends Agent {
  readonly #nurl: Nurl;
  readonly #connectMs: number;
  readonly #connecting = new Set<TLSSocket>();

  constructor(nurl: Nurl, { socketsMax, connectMs }: PinSettings) {
    super({
      keepAlive: true,
      maxSockets: socketsMax,
      maxFreeSockets: socketsMax,
      timeout: IDLE_MS,
      // The socket that was used last is the least likely to have been closed meanwhile.
      scheduling: 'lifo',
    });
    this.#nurl = nurl;
    this.#connectMs = connectMs;
  }

  /**
   * Passes the socket to `handover` once it is pinned; what a request asks for is not looked at.
   */
  override createConnection(_options: unknown, handover?: Handover): undefined {
    const { host, port, spkiHash } = this.#nurl;
    const socket = connect({
      host,
      port,
      // OpenSSL judges by authorities, dates and names; `pinProblem` judges instead.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      minVersion: 'TLSv1.2',
      ...(isIP(host) ? {} : { servername: host }),
    });
    this.#connecting.add(socket);
    socket.setNoDelay(true);
    // Stays on for good: Node has no error handler of its own between connecting and the request.
    const refuse = (problem: Error): void => {
      this.#connecting.delete(socket);
      socket.destroy();
      handover?.(problem, socket);
    };
    const tooLate = (): void => refuse(new Error(`no TLS connection within ${this.#connectMs} ms`));
    socket.on('error', refuse);
    socket.setTimeout(this.#connectMs, tooLate);
    socket.once('secureConnect', () => {
      const problem = pinProblem(socket, spkiHash);
      if (problem !== undefined) return refuse(new Error(problem));
      this.#connecting.delete(socket);
      socket.setTimeout(0);
      socket.off('timeout', tooLate);
      handover?.(null, socket);
    });
    return undefined;
  }

  /** All its sockets go to the one server; Node would spell its options, for every request anew. */
  override getName(): string {
    return '';
  }

  /** Closes the sockets that wait for reuse: one of them was found dead, so the others may be. */
  forgetIdle(): void {
    for (const socket of Object.values(this.freeSockets).flat()) socket?.destroy();
  }

  override destroy(): void {
    for (const socket of this.#connecting) socket.destroy(new Error('the connection was closed'));
    super.destroy();
  }
}

/** What is wrong with the peer of a finished handshake, if anything. */
function pinProblem(socket: TLSSocket, spkiHash: string): string | undefined {
  // Node hands this object out once.
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'it showed no certificate';
  // A code, whatever the type declaration says.
  const complaint = socket.authorizationError as unknown as string | null;
  if (complaint && !isHarmless(complaint, certificate)) {
    return `its certificate is unusable: ${complaint}`;
  }
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const found = createHash('sha256').update(spki).digest();
  const expected = Buffer.from(spkiHash, 'base64url');
  if (timingSafeEqual(found, expected)) return undefined;
  return `its public key is not the one in the NURL: ${found.toString('base64url')}`;
}

/** BoringSSL, which Bun has, says of some certificates that signed themselves what it says of others. */
function isHarmless(complaint: string, certificate: X509Certificate): boolean {
  if (complaint === FOREIGN) return certificate.verify(certificate.publicKey);
  return HARMLESS.has(complaint);
}
