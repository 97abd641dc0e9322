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
