/**
 * @module document: what --json prints: documents of one version, which docs/json.md describes.
 */

/**
 * Grows when a field goes, or means something else. A new field is no reason: who reads a document
 * passes over what it does not know.
 */
export const schema = 1;

/**
 * A document with its end.
 * @param told texts as they may be printed: they are redacted before they are JSON, where an escaped
 *   quotation mark would run into a cap
 * @param indent for what is a line among others, none
 */
export function documentOf(fields: object, told = (text: string) => text, indent = 0): string {
  const value = (_: string, value: unknown) => (typeof value === 'string' ? told(value) : value);
  return `${JSON.stringify({ schema, ...fields }, value, indent)}\n`;
}
