/** The key that every simulated file has. */
import { sha256 } from '@noble/hashes/sha2.js';
import { expect, test } from 'vitest';
import { bytesToHex } from '../../src/bytes.ts';
import { primitives as portable } from '../../src/crypto/portable.ts';
import { simulationKey } from '../../src/simulation/key.ts';

test('is the same everywhere, byte for byte', async () => {
  const { pkcs8 } = await simulationKey();
  expect(bytesToHex(sha256(pkcs8))).toMatchInlineSnapshot(
    `"e31b8bbe5061d423db8f258e8984ecaeea633ed7f8ee2d25273c643bf50fcf62"`,
  );
});

test('is a good one: what it signs on one platform is verified on another', async () => {
  const { spki, sign } = await simulationKey();
  const message = Uint8Array.of(1, 2, 3);
  const verifying = await portable.importVerifyingKey(spki);
  expect(await verifying.verify(message, await sign(message))).toHaveLength(32);
  expect(await verifying.verify(Uint8Array.of(1, 2, 4), await sign(message))).toBe(undefined);
});
