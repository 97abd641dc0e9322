/**
 * @module redaction: no cap on a command line comes out of the program again.
 *
 * A cap is known by its looks in any text. Besides, the long words of an argument that holds one
 * are struck out wherever they turn up, however a message quotes, wraps or decodes the argument.
 */
import { redacted } from '../redacted.ts';

/** Also what was torn or mistyped, so that it is no cap any more but holds as much. */
const REMAINS = new RegExp(
  [
    'URI:[a-z0-9-]+:.',
    '(?:SSK|MDMF|DIR2)[a-z0-9-]*:[a-z2-7]{8}',
    '[a-z2-7]{26}[^a-z0-9]{1,3}[a-z2-7]{26}',
  ].join('|'),
  'i',
);

/** A storage index is no secret: servers log it, and paths of shares are made of it. */
const VERIFY_CAP = /^(?:ro\.|imm\.)?URI:[A-Z0-9-]+-Verifier:[a-z2-7]+:[a-z2-7]+(?::\d+){0,3}$/;

/** Whether an argument is, or has in it, a cap: percent-encoded, in a URL, or torn. */
export function holdsCap(argument: string): boolean {
  return readingsOf(argument).some((text) => REMAINS.test(text.replace(/\s/g, '')));
}

/** The same of what reads or writes. */
export function isSecret(argument: string): boolean {
  return holdsCap(argument) && !VERIFY_CAP.test(argument.trim());
}

/** {@link redacted}, which also knows the caps of this command line. */
export function redactorOf(args: readonly string[]): (text: string) => string {
  const words = args
    .filter(isSecret)
    .flatMap(readingsOf)
    .flatMap((text) => text.match(/[a-z0-9%]{8,}/gi) ?? []);
  if (words.length === 0) return redacted;
  // Of two words that begin alike the longer one must be found.
  const longestFirst = [...new Set(words)].sort((a, b) => b.length - a.length);
  const known = new RegExp(longestFirst.join('|'), 'gi');
  return (text) => redacted(text).replace(known, '…');
}

/** An argument as it is, and as percent-decoding makes it, until it changes no more. */
function readingsOf(argument: string): readonly string[] {
  const decoded = argument.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return decoded === argument ? [argument] : [argument, ...readingsOf(decoded)];
}
