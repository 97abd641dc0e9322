/**
 * @module field-at: which field of a share a read asks for, in a word, as labels and traces have it.
 */
import { parseShareHeader, type ShareHeader } from './header.ts';
import type { ShareField } from './layout.ts';

export const shortNames = {
  verificationKey: 'key',
  signature: 'signature',
  shareHashChain: 'chain',
  blockHashTree: 'tree',
  shareData: 'blocks',
  encryptedPrivateKey: 'privkey',
} as const satisfies Readonly<Record<ShareField, string>>;
export const fields = Object.keys(shortNames) as readonly ShareField[];

/** The header in the first bytes of a share, where there is one. */
export function headerIn(bytes: Uint8Array): ShareHeader | undefined {
  try {
    return parseShareHeader(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The field that a read from `offset` asks for: `head`, `signature`, `blocks`…
 * @param head the first bytes of the share, as far as they are known
 */
export function fieldAt(head: Uint8Array | undefined, offset: number): string {
  if (offset === 0) return 'head';
  const layout = head === undefined ? undefined : headerIn(head)?.layout;
  const name = fields.find((field) => {
    const range = layout?.[field];
    return range !== undefined && offset >= range.offset && offset < range.offset + range.length;
  });
  return name === undefined ? `at ${offset}` : shortNames[name];
}
