/**
 * @module redacted: a text without the caps in it.
 */

const colon = '(?::|%(?:25)*3A)';

/** A cap, with or without its beginning: `URI:MDMF:…`, `…:<key>:<fingerprint>`, `URI%3ASSK…`. */
const CAP = new RegExp(
  `(?:URI${colon}[a-z0-9-]+${colon}|[a-z2-7]{26}${colon}[a-z2-7]{26})[^\\s'"]*`,
  'gi',
);

/** `text` with every cap in it cut short: it is passed on, and a write cap must not be. */
export function redacted(text: string): string {
  return text.replace(CAP, 'URI:…');
}

/** The URL of a storage server: who knows it may use the server. */
const FURL = /\bpb:\/\/[^\s'"]*/gi;
/** What a client says to a storage server, in base64, in a header or in JSON. */
const SAID =
  /(\bTahoe-LAFS\s+|(?:renew|cancel|upload|lease)[-_]?secret["'\s:=]+|write[-_]?enabler["'\s:=]+)[\w+/=-]{16,}/gi;
/** As long as a key, a write enabler, a swissnum: in hex, in Tahoe's base32, or 32 bytes in base64. */
const KEY = /[0-9a-f]{32,}|[0-9A-F]{32,}|[a-z2-7]{26,}|(?<![\w+/-])[\w+/-]{43}=/g;

/**
 * What somebody else says, a server in an error, without anything that may be a secret: caps, the
 * URLs and secrets of storage servers, and whatever is as long as a key, of which eight characters
 * stay. A storage index goes, too: a text of others does not say what it is.
 */
export function withoutSecrets(text: string): string {
  return redacted(text)
    .replace(FURL, 'pb://…')
    .replace(SAID, '$1…')
    .replace(KEY, (key) => `${key.slice(0, 8)}…`);
}
