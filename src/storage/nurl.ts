/**
 * @module nurl: where a storage server listens, how to know it, and what it asks to be shown.
 *
 *     pb://<spki-hash>@<host>:<port>/<swissnum>#v=1
 *
 * Source: Tahoe's `http-storage-node-protocol.rst` and `storage_client.py`; docs/format.md §7.1.
 * The hash is SHA-256 of the certificate's SubjectPublicKeyInfo. The swissnum authorises every
 * request and is a secret: it leaves a {@link Nurl} by {@link Nurl.reveal} and
 * {@link Nurl.authorization} only, never by printing, JSON or inspection.
 */
import { MalformedNurlError } from '../errors.ts';
import { requireText } from '../refusal.ts';

const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/([^@/?#]*)@([^@/?#]*)\/([^?#]*)(?:#(.*))?$/s;
/** An address, or a name as DNS has it: anything else cannot be put into a request. */
const HOST_AND_PORT = /^(?:\[([0-9a-f:.%]{2,64})\]|([\w.-]{1,253}))(?::(\d{1,5}))?$/i;
/** 32 bytes as unpadded base64url: 43 characters, of which the last has two bits to spare. */
const SPKI_HASH = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const DEFAULT_PORT = 443;

/** By which copies of this module know each other's. */
const brand = Symbol.for('tahoe-mutable.nurl');

/** The address of one storage server, with the two things that make it trustworthy and usable. */
export class Nurl {
  /** SHA-256 of the server's SubjectPublicKeyInfo, unpadded base64url. */
  readonly spkiHash: string;
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** Of TCP. */
  readonly port: number;
  readonly #swissnum: string;

  constructor(spkiHash: string, host: string, port: number, swissnum: string) {
    this.spkiHash = spkiHash;
    this.host = host;
    this.port = port;
    this.#swissnum = swissnum;
  }

  /** The value of the `Authorization` header. Secret. */
  authorization(): string {
    return `Tahoe-LAFS ${btoa(this.#swissnum)}`;
  }

  /** The whole NURL. Secret. */
  reveal(): string {
    return this.#format(encodeURIComponent(this.#swissnum));
  }

  /** The NURL with its swissnum left out, for people. */
  toString(): string {
    return this.#format('[swissnum]');
  }

  /** Without the swissnum, which is a secret. */
  toJSON(): string {
    return this.toString();
  }

  protected get [brand](): true {
    return true;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Nurl(${this})`;
  }

  #format(path: string): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `pb://${this.spkiHash}@${host}:${this.port}/${path}#v=1`;
  }
}

/** Whether it is one, of this copy of the library or of another. */
export function isNurl(value: unknown): value is Nurl {
  return typeof value === 'object' && value !== null && brand in value;
}

/**
 * Reads a NURL of version 1 that is reached over TCP.
 * @throws MalformedNurlError naming the part that is wrong; BadArgumentError for what is no text
 */
export function parseNurl(text: string): Nurl {
  requireText('nurl', text, 'the text of a NURL');
  const [, scheme, spkiHash, place, path, fragment] = SHAPE.exec(text) ?? [];
  if (scheme === undefined) throw new MalformedNurlError('NURL', 'is not pb://hash@host/swissnum');
  if (scheme !== 'pb') {
    throw new MalformedNurlError('scheme', `${scheme.slice(0, 16)} is not supported, pb is`);
  }
  // Without a fragment it is a Foolscap FURL, whose hash means something else.
  if (fragment !== 'v=1') throw new MalformedNurlError('fragment', 'must be v=1');
  if (!SPKI_HASH.test(spkiHash!)) {
    throw new MalformedNurlError('hash', 'is not 43 characters of base64url');
  }
  const [, address, name, port = String(DEFAULT_PORT)] = HOST_AND_PORT.exec(place!) ?? [];
  const host = address ?? name;
  if (host === undefined) throw new MalformedNurlError('host', 'is not host:port');
  if (Number(port) < 1 || Number(port) > 65535) {
    throw new MalformedNurlError('port', `${port} is not between 1 and 65535`);
  }
  return new Nurl(spkiHash!, host, Number(port), readSwissnum(path!));
}

/**
 * The NURLs of one server's announcement that are reached over TCP; the others are left out, and so
 * are malformed ones as long as one is not.
 * @throws MalformedNurlError when none is left
 */
export function tcpNurls(texts: readonly string[]): readonly Nurl[] {
  const found: Nurl[] = [];
  let problem: MalformedNurlError | undefined;
  for (const text of texts.filter((text) => !text.startsWith('pb+'))) {
    try {
      found.push(parseNurl(text));
    } catch (error) {
      if (!(error instanceof MalformedNurlError)) throw error;
      problem ??= error;
    }
  }
  if (found.length > 0) return found;
  throw problem ?? new MalformedNurlError('scheme', 'none of the NURLs is pb://');
}

function readSwissnum(path: string): string {
  let swissnum = '';
  try {
    swissnum = decodeURIComponent(path);
  } catch {
    // An invalid escape; falls through to the error below, which quotes nothing.
  }
  if (path.includes('/') || !/^[\x21-\x7e]+$/.test(swissnum)) {
    throw new MalformedNurlError('swissnum', 'is not one path segment of printable ASCII');
  }
  return swissnum;
}
