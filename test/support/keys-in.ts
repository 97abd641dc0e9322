/**
 * @module keys-in: keys in texts that should have none.
 */

/** Where a key begins: DER of some length in base64, or a PEM that is more than its first line. */
const keyText = /MII[A-Za-z0-9+/]{40}|-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]/;

export function holdsKey(text: string): boolean {
  return keyText.test(text);
}
