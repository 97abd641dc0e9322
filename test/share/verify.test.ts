import { describe, expect, test } from 'vitest';
import { primitives } from '#crypto';
import { hexToBytes } from '../../src/bytes.ts';
import { deriveFingerprint } from '../../src/crypto/keys.ts';
import type { Primitives, VerifyingKey } from '../../src/crypto/primitives.ts';
import { CorruptShareError, OutOfRangeError } from '../../src/errors.ts';
import { blockHash, buildHashTree, type HashNode } from '../../src/share/hashtree.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import { VersionVerifier } from '../../src/share/verify.ts';
import { newKeys } from '../support/new-keys.ts';
import { allShares, encode, golden, goldenBytes, readerOf } from '../support/shares.ts';

describe('FileSignatures', () => {
  const header = parseShareHeader(hexToBytes(golden.cases[1]?.share0 as string));
  const signature = golden.cases[1]?.signature as Uint8Array;
  const badKey = (problem: string) => new CorruptShareError('verification key', problem);

  test('accepts what Tahoe signed', async () => {
    await new FileSignatures(golden.fingerprint).verify(header, golden.spki, signature);
  });

  test('refuses another version, another signature, an empty one', async () => {
    const error = new CorruptShareError('signature', 'it does not sign this header');
    const other = { prefix: Uint8Array.from(header.prefix, (b, i) => (i === 8 ? b + 1 : b)) };
    const signatures = new FileSignatures(golden.fingerprint);
    await expect(signatures.verify(other, golden.spki, signature)).rejects.toThrowError(error);
    for (const wrong of [golden.cases[2]?.signature as Uint8Array, new Uint8Array(0)]) {
      // Also when it is shown again.
      for (let i = 0; i < 2; i++) {
        await expect(signatures.verify(header, golden.spki, wrong)).rejects.toThrowError(error);
      }
    }
    await signatures.verify(header, golden.spki, signature);
  });

  test('imports the key once, and verifies what is equal once', async () => {
    const done: string[] = [];
    const importVerifyingKey: Primitives['importVerifyingKey'] = async (spki) => {
      done.push('import');
      const key = await primitives.importVerifyingKey(spki);
      const verify: VerifyingKey['verify'] = (...shown) => {
        done.push('verify');
        return key.verify(...shown);
      };
      return { verify };
    };
    const signatures = new FileSignatures(golden.fingerprint, { importVerifyingKey });
    const verified = Array.from({ length: 10 }, () =>
      signatures.verify(header, golden.spki.slice(), signature.slice()),
    );
    const [salt] = await Promise.all(verified);
    expect(await signatures.verify(header, golden.spki, signature)).toEqual(salt);
    expect(done).toEqual(['import', 'verify']);
  });

  test('refuses a good signature of somebody else', async () => {
    const eve = await primitives.generateKey();
    await expect(
      new FileSignatures(golden.fingerprint).verify(
        header,
        eve.spki,
        await eve.sign(header.prefix),
      ),
    ).rejects.toThrowError(badKey('it is not the key of the cap'));
  });

  test('refuses a key of another kind, even when the cap names it', async () => {
    const spki = new Uint8Array(newKeys.ed25519().publicKey);
    for (const key of [spki, new Uint8Array(0)]) {
      await expect(
        new FileSignatures(deriveFingerprint(key)).verify(header, key, signature),
      ).rejects.toThrowError(badKey('it is the key of the cap, but not of RSA'));
    }
  });
});

describe('VersionVerifier', async () => {
  const version = await encode({ format: 'mdmf', required: 2, total: 5 }, goldenBytes(300_000));
  const shares = await Promise.all(
    (await allShares(version)).map(async (bytes) => {
      const { reader } = readerOf(bytes);
      return {
        chain: await reader.shareHashChain(),
        tree: await reader.blockHashTree(),
        entries: await reader.blocks(0, 3),
      };
    }),
  );
  type Share = (typeof shares)[number];
  const share = (shnum: number) => shares[shnum] as Share;
  const entry = (shnum: number, segnum: number) =>
    share(shnum).entries[segnum] as Share['entries'][number];
  const verifier = () => new VersionVerifier(version.header);
  const corrupt = (tree: string, problem: string) =>
    new CorruptShareError(`${tree} hash tree`, problem);
  const wrong = new Uint8Array(32).fill(0xee);

  test('accepts every block of every share, in any order', () => {
    const v = verifier();
    for (const shnum of [4, 0, 2, 3, 1]) {
      expect(v.hasRoot(shnum)).toBe(false);
      v.acceptTree(shnum, share(shnum).chain, share(shnum).tree);
      expect(v.hasRoot(shnum)).toBe(true);
      for (const segnum of [2, 0, 1]) {
        expect(v.missingNodes(shnum, segnum)).toEqual([]);
        v.acceptBlock(shnum, segnum, entry(shnum, segnum).block, entry(shnum, segnum).salt);
      }
    }
  });

  test('accepts a block with no more of the tree than leads it to the root', () => {
    const v = verifier();
    const { chain, tree } = share(3);
    v.acceptRoot(3, chain, tree[0] as Uint8Array);
    const nodes = v.missingNodes(3, 2).map((node): HashNode => [node, tree[node] as Uint8Array]);
    expect(nodes.map(([node]) => node)).toEqual([1, 6]);
    const { block, salt } = entry(3, 2);
    expect(() => v.acceptBlock(3, 2, block, salt)).toThrowError(
      corrupt('block', 'node 5: not enough hashes to check it'),
    );
    v.acceptBlock(3, 2, block, salt, nodes);
    expect(v.missingNodes(3, 0)).toEqual([4]);
  });

  test('refuses a block of another segment, share or salt, and one with a flipped bit', () => {
    const v = verifier();
    v.acceptTree(0, share(0).chain, share(0).tree);
    const { block, salt } = entry(0, 1);
    const flipped = block.slice();
    flipped[99] = 1 ^ (flipped[99] as number);
    const error = corrupt('block', 'node 4: contradicts the hash already here');
    expect(() => v.acceptBlock(0, 1, flipped, salt)).toThrowError(error);
    expect(() => v.acceptBlock(0, 1, block, entry(0, 0).salt)).toThrowError(error);
    expect(() => v.acceptBlock(0, 1, block, undefined)).toThrowError(error);
    expect(() => v.acceptBlock(0, 1, entry(1, 1).block, salt)).toThrowError(error);
    expect(() => v.acceptBlock(0, 1, entry(0, 0).block, entry(0, 0).salt)).toThrowError(error);
    v.acceptBlock(0, 1, block, salt);
  });

  test('refuses a wrong node in a tree or chain, and accepts the right ones afterwards', () => {
    const v = verifier();
    const { chain, tree } = share(1);
    const treeWith = (node: number) => tree.with(node, wrong);
    expect(() => v.acceptTree(1, chain, treeWith(0))).toThrowError(
      corrupt('share', 'node 0: does not match its children'),
    );
    const chainWith = chain.map(([node, hash]): HashNode => [node, node === 2 ? wrong : hash]);
    expect(() => v.acceptTree(1, chainWith, tree)).toThrowError(
      corrupt('share', 'node 0: does not match its children'),
    );
    expect(() => v.acceptTree(1, [...chain, [15, wrong]], tree)).toThrowError(
      corrupt('share', 'node 15: outside 15 nodes'),
    );
    expect(() => v.acceptTree(1, chain.slice(1), tree)).toThrowError(
      corrupt('share', 'node 1: not enough hashes to check it'),
    );
    expect(v.hasRoot(1)).toBe(false);
    expect(() => v.acceptTree(1, chain, treeWith(6))).toThrowError(
      corrupt('block', 'node 2: does not match its children'),
    );
    for (const some of [[], tree.slice(0, 3), [...tree, wrong]]) {
      expect(() => v.acceptTree(1, chain, some)).toThrowError(
        corrupt('block', `${some.length} of 7 nodes`),
      );
    }
    v.acceptTree(1, chain, tree);
  });

  test('refuses a tree that is whole in itself but not the one that was signed (#1654)', () => {
    const v = verifier();
    // Everything that leads share 1 to the signed root is known before it lies about its tree.
    for (const shnum of [0, 2, 3, 4]) v.acceptTree(shnum, share(shnum).chain, share(shnum).tree);
    const forged = Uint8Array.of(6, 6, 6);
    const { chain, tree } = share(1);
    const leaves = [tree[3], blockHash(forged, entry(1, 1).salt), tree[5]] as Uint8Array[];
    const error = corrupt('share', 'node 8: contradicts the hash already here');
    expect(() => v.acceptTree(1, chain, buildHashTree(leaves))).toThrowError(error);
    expect(() => v.acceptTree(1, [], buildHashTree(leaves))).toThrowError(error);
    v.acceptTree(1, [], tree);
    expect(() => v.acceptBlock(1, 1, forged, entry(1, 1).salt)).toThrowError(CorruptShareError);
  });

  test('refuses the trees of another share', () => {
    const v = verifier();
    expect(() => v.acceptTree(1, share(0).chain, share(0).tree)).toThrowError(
      corrupt('share', 'node 8: contradicts the hash already here'),
    );
  });

  test('knows which shares and segments there are', () => {
    const v = verifier();
    expect(() => v.acceptTree(5, [], share(0).tree)).toThrowError(
      new CorruptShareError('share number', '5 of 5 shares'),
    );
    expect(() => v.missingNodes(0, 0)).toThrowError(
      new OutOfRangeError('share', 0, 'its root is not accepted'),
    );
    v.acceptTree(0, share(0).chain, share(0).tree);
    expect(() => v.acceptBlock(0, 3, entry(0, 2).block, entry(0, 2).salt)).toThrowError(
      new OutOfRangeError('leaf', 3, 'the tree has 3'),
    );
  });

  test('the IV of SDMF is no part of the block hash, given or not', async () => {
    const sdmf = await encode({ format: 'sdmf', required: 1, total: 1 }, goldenBytes(10));
    const { reader } = readerOf((await allShares(sdmf))[0] as Uint8Array);
    const v = new VersionVerifier(sdmf.header);
    v.acceptTree(0, await reader.shareHashChain(), await reader.blockHashTree());
    const [{ block } = { block: wrong }] = await reader.blocks(0, 1);
    v.acceptBlock(0, 0, block, undefined);
    v.acceptBlock(0, 0, block, sdmf.header.salt);
    expect(() => v.acceptBlock(0, 0, block.with(0, 99), undefined)).toThrowError(
      corrupt('block', 'node 0: contradicts the hash already here'),
    );
  });

  test('the empty file has a tree of one node, and it counts', async () => {
    const empty = await encode({ format: 'mdmf', required: 1, total: 2 }, new Uint8Array(0));
    const { reader } = readerOf((await allShares(empty))[1] as Uint8Array);
    const v = new VersionVerifier(empty.header);
    const chain = await reader.shareHashChain();
    expect(() => v.acceptTree(1, chain, [wrong])).toThrowError(CorruptShareError);
    v.acceptTree(1, chain, await reader.blockHashTree());
  });
});
