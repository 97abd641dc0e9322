/**
 * @module cap-text: a cap as people have it at hand: with a line's end behind it, percent-encoded,
 * or in the address of a web gateway's page.
 */
import { type Cap, parseCap } from '../caps.ts';
import { MalformedCapError } from '../errors.ts';

/** `http://127.0.0.1:3456/uri/URI%3ASSK%3A…`, and what the page of a file has behind it. */
const PAGE = /^https?:\/\/[^/?#]*\/(?:[^?#]*\/)?(uri|file)\/([^/?#]+)([^?#]*)/i;
/** Where the gateway's form sends a cap that is typed in. */
const FORM = /^https?:\/\/[^/?#]*\/uri\/?\?(?:[^#]*&)?uri=([^&#]+)/i;

/** @throws MalformedCapError, which does not quote it */
export function capIn(text: string): Cap {
  return parseCap(aloneIn(text));
}

/** The text of a cap of any kind, with nothing behind it. @throws MalformedCapError */
export function aloneIn(text: string): string {
  const cap = addressed(text.trim());
  if (/\s/.test(cap)) throw new MalformedCapError('text', 'has a blank or a line end in it');
  const [whole = '', ...path] = cap.replace(/\/+$/, '').split('/');
  if (path.length > 0 && /^(?:ro\.|imm\.)?URI:/.test(whole)) throw pathProblem();
  return path.length > 0 ? cap : whole;
}

/** A cap of any kind, and the names behind it. */
export interface Address {
  readonly cap: string;
  readonly names: readonly string[];
}

/**
 * `URI:DIR2:…/a/b`, whose names are as they are written, or the address of its page, whose names are
 * percent-encoded.
 * @throws MalformedCapError
 */
export function addressIn(text: string): Address {
  const whole = text.trim();
  const [, kind, inPage, path = ''] = PAGE.exec(whole) ?? [];
  if (inPage !== undefined && kind?.toLowerCase() === 'uri') {
    const [, ...names] = path.split('/');
    return { cap: percentDecoded(inPage), names: withoutLastSlash(names).map(percentDecoded) };
  }
  const form = FORM.exec(whole)?.[1];
  if (form !== undefined) return { cap: percentDecoded(form), names: [] };
  // What begins otherwise is of a kind that nobody knows: where it ends is not known either.
  if (!/^(?:ro\.|imm\.)?URI(?::|%3A)/i.test(whole)) return { cap: whole, names: [] };
  const [cap = '', ...names] = whole.split('/');
  return { cap: percentDecoded(cap), names: withoutLastSlash(names) };
}

/** Whether names stand behind the cap of a directory, in `text` or in the address of a page. */
export function isPathOfDirectory(text: string): boolean {
  const whole = text.trim();
  const [, , inPage = whole.split('/')[0] as string] = PAGE.exec(whole) ?? [];
  return whole.includes('/') && /^(?:(?:ro|imm)\.)?URI(?::|%3A)DIR2/i.test(inPage);
}

/** A slash at the end says no more than that there is a directory. */
function withoutLastSlash(names: readonly string[]): readonly string[] {
  return names.at(-1) === '' ? names.slice(0, -1) : names;
}

/** The cap in an address; other text as it is, without percent-encoding. */
function addressed(text: string): string {
  if (!/^https?:/i.test(text)) return percentDecoded(text);
  const [, kind, inPage, path = ''] = PAGE.exec(text) ?? [];
  const cap = inPage ?? FORM.exec(text)?.[1];
  if (cap === undefined) {
    throw new MalformedCapError('address', 'has no cap in it, which would stand behind "/uri/"');
  }
  // A file's page may end with a name for the download.
  const isName = kind?.toLowerCase() === 'file' && path.startsWith('/@@named=/');
  if (!isName && path.replace(/\/+$/, '') !== '') throw pathProblem();
  return percentDecoded(cap);
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new MalformedCapError('text', 'its percent-encoding is broken');
  }
}

function pathProblem(): MalformedCapError {
  return new MalformedCapError('path', 'it stands behind a cap; give the cap that it leads to');
}
