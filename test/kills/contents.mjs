/**
 * @module contents: contents that tell which number they are of. Plain JavaScript, since the worker
 * process uses it too.
 */
import { numbered } from '../support/numbered-contents.mjs';

/** The contents of number `n`; `lines` keeps all that was there, and adds a line. */
export function contentsOf(kind, n) {
  if (kind !== 'lines') return numbered(n, kind === 'inPlace');
  return Buffer.from(Array.from({ length: n + 1 }, (_, i) => `line ${i}\n`).join(''));
}

/** Which number contents are of, by what is at their beginning, or in their last line. */
export function numberOf(kind, contents) {
  const bytes = Buffer.from(contents);
  if (kind !== 'lines') return bytes.readDoubleBE();
  return Number(bytes.toString().trimEnd().split('line ').at(-1));
}
