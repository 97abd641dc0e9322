/**
 * @module encode-again: what it takes to make shares of a version again, from good shares of it.
 */
import type { Recipe } from '../../machines/rewrite.ts';
import { bytesToHex } from '../bytes.ts';
import { NotEnoughSharesError } from '../errors.ts';
import { encodeSame, type SameInput } from '../share/encode-same.ts';
import type { ShareHeader } from '../share/header.ts';
import type { EncodedVersion } from '../share/seal.ts';
import { readerOf } from './session.ts';
import type { Desk } from './workbench.ts';

/** What of a version every share of it tells. */
type Told = Pick<SameInput, 'header' | 'signature'>;

/** @throws NotEnoughSharesError when no share is of the version any more */
export async function encodeAgain(
  desk: Desk,
  recipe: Extract<Recipe, { readonly kind: 'again' }>,
  input: Omit<SameInput, 'saltOf' | keyof Told>,
): Promise<EncodedVersion> {
  const told = tightest(await toldBy(desk, recipe, input));
  const saltOf = (segnum: number) => desk.salts.get(segnum) as Uint8Array;
  return encodeSame({ ...input, ...told, saltOf });
}

async function toldBy(
  { session }: Desk,
  { version, places }: Extract<Recipe, { readonly kind: 'again' }>,
  { verificationKey, signal = new AbortController().signal }: Partial<SameInput>,
): Promise<readonly Told[]> {
  const all = places.map(async (place): Promise<readonly Told[]> => {
    const reader = readerOf(session, place, signal);
    try {
      const [header, signature] = [await reader.header(), await reader.signature()];
      await session.signatures.verify(header, verificationKey as Uint8Array, signature);
      return bytesToHex(header.prefix) === version ? [{ header, signature }] : [];
    } catch {
      // Its share was good when the map was made; another one will do.
      return [];
    }
  });
  return (await Promise.all(all)).flat();
}

/** The offset table is not signed: whoever made it can make a share long, but not too short. */
function tightest(told: readonly Told[]): Told {
  const startOf = ({ layout }: ShareHeader) => layout.shareData.offset;
  const [best] = [...told].sort((a, b) => startOf(a.header) - startOf(b.header));
  if (best === undefined)
    throw new NotEnoughSharesError('the shares have been replaced meanwhile', {});
  return best;
}
