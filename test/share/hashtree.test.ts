import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesToHex, hexToBytes, utf8 } from '../../src/bytes.ts';
import { taggedHash, taggedPairHash, tagOf } from '../../src/crypto/hash.ts';
import { CorruptShareError, OutOfRangeError } from '../../src/errors.ts';
import {
  blockHash,
  buildHashTree,
  buildLongHashTree,
  GrowingRoots,
  type HashNode,
  hashIn,
  neededHashes,
  nodeCount,
  pathRuns,
  replaceLeaves,
  VerifyingTree,
} from '../../src/share/hashtree.ts';
import { Stint } from '../../src/turn.ts';

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => blockHash(Uint8Array.of(i)));
const hex = (hashes: readonly Uint8Array[]) => hashes.map(bytesToHex);
const pick = (tree: readonly Uint8Array[], nodes: readonly number[]): HashNode[] =>
  nodes.map((node) => [node, tree[node] as Uint8Array]);
const wrong = new Uint8Array(32).fill(0xee);
const corrupt = (problem: string) => new CorruptShareError('tree', problem);

test('roots that grow leaf by leaf are those of whole trees', async () => {
  for (let count = 0; count <= 70; count++) {
    const leaves = leavesOf(count);
    const growing = new GrowingRoots(2);
    for (const leaf of leaves) growing.add([leaf, wrong]);
    const other = leaves.map(() => wrong);
    expect([count, hex(await growing.roots(new Stint()))]).toEqual([
      count,
      hex([leaves, other].map((each) => buildHashTree(each)[0] as Uint8Array)),
    ]);
  }
});

describe('the runs that lead from some leaves to the root', () => {
  test('are the least pairs that hold every hash that is needed, level by level', () => {
    for (const leafCount of [1, 2, 3, 5, 8, 13, 16]) {
      for (let first = 0; first < leafCount; first++) {
        for (let count = 1; first + count <= leafCount; count++) {
          const needed = new Set(
            Array.from({ length: count }, (_, i) => neededHashes(leafCount, first + i)).flat(),
          );
          const runs = pathRuns(leafCount, first, count);
          for (const [i, run] of runs.entries()) {
            const level = runs.length - i;
            const nodes = [...needed].filter((node) => Math.floor(Math.log2(node + 1)) === level);
            // Whole pairs of siblings.
            const [low, high] = [Math.min(...nodes), Math.max(...nodes)];
            expect(run).toEqual({ first: low - (low % 2 ? 0 : 1), last: high + (high % 2) });
          }
          expect(runs.length).toBe(neededHashes(leafCount, first).length);
        }
      }
    }
  });

  test('are as many as levels below the root, of 2^53 leaves too', () => {
    expect(pathRuns(2 ** 52, 2 ** 51, 1024).length).toBe(52);
  });
});

test.each([0, 1, 2, 3, 100, 300, 1025])(
  'a tree over %i leaves is the same made in turns',
  async (n) => {
    const leaves = leavesOf(n);
    const stored = await buildLongHashTree(leaves, new Stint());
    expect(bytesToHex(stored)).toBe(hex(buildHashTree(leaves)).join(''));
  },
);

test('every node is what the definition says, whatever tree was made before', async () => {
  const padding = (n: number) => taggedHash(tagOf('Merkle tree empty leaf'), utf8(`${n}`));
  const pairOf = (a: Uint8Array, b: Uint8Array) =>
    taggedPairHash(tagOf('Merkle tree internal node'), a, b);
  for (const count of [...Array(35).keys(), 129, 3, 3, 12]) {
    const leaves = leavesOf(count);
    const levels = [leaves];
    for (let n = count; n < (nodeCount(count) + 1) / 2; n++) leaves.push(padding(n));
    for (let [row] = levels; row && row.length > 1; [row] = levels) {
      const below = row;
      levels.unshift(
        Array.from({ length: below.length / 2 }, (_, i) =>
          pairOf(below[2 * i] as Uint8Array, below[2 * i + 1] as Uint8Array),
        ),
      );
    }
    const expected = hex(levels.flat());
    expect(hex(buildHashTree(leaves.slice(0, count)))).toEqual(expected);
    const stored = await buildLongHashTree(leaves.slice(0, count), new Stint());
    expect(bytesToHex(stored)).toBe(expected.join(''));
    expect(hashIn(stored, 0)).toEqual(levels[0]?.[0]);
  }
});

describe('leaves that are replaced', () => {
  test('give every node above them, and only what lies beside their paths is asked for', () => {
    for (const count of [1, 2, 3, 8, 13]) {
      const before = buildHashTree(leavesOf(count));
      for (let first = 0; first < count; first++) {
        for (let length = 1; first + length <= count; length++) {
          const changed = Array.from({ length }, (_, i) => blockHash(Uint8Array.of(200 + i)));
          const leaves = leavesOf(count).toSpliced(first, length, ...changed);
          const asked: number[] = [];
          const made = replaceLeaves(count, first, changed, (node) => {
            asked.push(node);
            return before[node] as Uint8Array;
          });
          const after = new Map([...before.entries(), ...made]);
          expect(hex([...after.values()])).toEqual(hex(buildHashTree(leaves)));
          const above = new Set(made.map(([node]) => node));
          expect(above.size).toBe(made.length);
          const needed = changed.flatMap((_, i) => neededHashes(count, first + i));
          const beside = new Set(needed.filter((node) => !above.has(node)));
          expect(asked.toSorted((a, b) => a - b)).toEqual([...beside].toSorted((a, b) => a - b));
        }
      }
    }
  });

  test('are leaves of the tree', () => {
    const hashAt = () => wrong;
    expect(() => replaceLeaves(3, 2, [wrong, wrong], hashAt)).toThrowError(
      new OutOfRangeError('leaf', 3, 'the tree has 3'),
    );
  });
});

describe('hash values', () => {
  test('block hashes, with the salt first', () => {
    expect(bytesToHex(blockHash(new Uint8Array(0)))).toBe(
      '64931e84fc25687f941bcdbf475517286ab6ca71e87dd64491b15b54dd06d26b',
    );
    const abc = 'fd3c231eb0555dc77b9f2670d945e4f1e782fe9f43669fe8425c9fde7b01c55f';
    expect(bytesToHex(blockHash(utf8('abc')))).toBe(abc);
    expect(bytesToHex(blockHash(utf8('bc'), utf8('a')))).toBe(abc);
  });

  test('padding leaves are numbered by position, and no leaves make one padding leaf', () => {
    expect(hex(buildHashTree([]))).toEqual([
      'e0024730188e2de564a697cc2987407b24ae7eb6b880190c1a0337a5740e527a',
    ]);
    expect(bytesToHex(buildHashTree(leavesOf(3))[6] as Uint8Array)).toBe(
      '9ed59076b6bee6b75864630c3c20cff6934efe03a60a7fd28b69542fb13a68a3',
    );
  });

  test('inner nodes', () => {
    const [root] = buildHashTree([hexToBytes('00'.repeat(32)), hexToBytes('ff'.repeat(32))]);
    expect(bytesToHex(root as Uint8Array)).toBe(
      'bf9aa8c46257d42f7a5326e513dfb7e6c44bd4a023235690bf14a93457a62fef',
    );
  });

  test.each([
    [1, bytesToHex(leavesOf(1)[0] as Uint8Array)],
    [3, '7c2da99697c4509052ce58ac665d1e01708957d8238a2862500e3eb055146de1'],
    [10, 'b6b1242ca3f6a8ed46b60523b2476b5cb581128d0a99d709ba2d7bf6b2d3c9a7'],
  ])('the root over %d leaves', (count, root) => {
    expect(bytesToHex(buildHashTree(leavesOf(count))[0] as Uint8Array)).toBe(root);
  });
});

describe('layout', () => {
  test('2P-1 nodes in heap order, root first, leaves last', () => {
    const leaves = leavesOf(3);
    const tree = buildHashTree(leaves);
    expect(tree.length).toBe(7);
    expect(hex(tree.slice(3, 6))).toEqual(hex(leaves));
    const pair = (i: number) =>
      taggedPairHash(
        tagOf('Merkle tree internal node'),
        tree[2 * i + 1] as Uint8Array,
        tree[2 * i + 2] as Uint8Array,
      );
    expect(hex(tree.slice(0, 3))).toEqual(hex([pair(0), pair(1), pair(2)]));
  });

  test('node counts, also of a leaf count that only a hostile header has', () => {
    expect([0, 1, 2, 3, 4, 5, 255, 2 ** 53 - 1].map(nodeCount)).toEqual([
      1,
      1,
      3,
      7,
      7,
      15,
      511,
      2 ** 54 - 1,
    ]);
  });

  test.each([
    [1, 0, []],
    [4, 1, [2, 3]],
    [16, 0, [2, 4, 8, 16]],
    [16, 3, [2, 4, 7, 17]],
    [16, 9, [1, 6, 12, 23]],
    [10, 9, [1, 6, 12, 23]],
  ])('of %d leaves, leaf %d needs %j', (leafCount, leaf, nodes) => {
    expect(neededHashes(leafCount, leaf)).toEqual(nodes);
  });

  test.each([
    [4, 4],
    [4, -1],
    [4, 0.5],
    [0, 0],
  ])('of %d leaves, leaf %d is not one', (leafCount, leaf) => {
    expect(() => neededHashes(leafCount, leaf)).toThrowError(
      new OutOfRangeError('leaf', leaf, `the tree has ${leafCount}`),
    );
  });
});

describe('VerifyingTree', () => {
  const tree = buildHashTree(leavesOf(10));
  const leaf = (n: number) => tree[15 + n] as Uint8Array;
  const seeded = () => new VerifyingTree('tree', 10, tree[0] as Uint8Array);
  const held = (t: VerifyingTree) =>
    tree.flatMap((_, node) => (t.hashAt(node) === undefined ? [] : [node]));

  test('admits a leaf with its chain, and the path between them', () => {
    const t = seeded();
    expect(t.missingHashes(9)).toEqual([1, 6, 12, 23]);
    t.admitLeaf(9, leaf(9), pick(tree, [1, 6, 12, 23]));
    expect(held(t)).toEqual([0, 1, 2, 5, 6, 11, 12, 23, 24]);
    expect(hex([t.hashAt(11) as Uint8Array])).toEqual(hex([tree[11] as Uint8Array]));
    expect(t.missingHashes(8)).toEqual([]);
    expect(t.missingHashes(0)).toEqual([4, 8, 16]);
    t.admitLeaf(0, leaf(0), pick(tree, [4, 8, 16]));
    t.admitLeaf(0, leaf(0));
  });

  test('admits the whole tree at once', () => {
    const t = seeded();
    t.admit(tree.entries());
    expect(held(t)).toEqual([...tree.keys()]);
  });

  test('fills in inner nodes from all leaves', () => {
    const t = seeded();
    t.admit(pick(tree, [15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]));
    expect(held(t)).toEqual([...tree.keys()]);
  });

  test.each<[string, HashNode[], string]>([
    [
      'a wrong leaf',
      [...pick(tree, [1, 6, 12, 23]), [24, wrong]],
      'node 2: does not match its children',
    ],
    [
      'a leaf without its sibling',
      pick(tree, [1, 6, 12, 24]),
      'node 24: not enough hashes to check it',
    ],
    [
      'a leaf without an uncle',
      pick(tree, [1, 12, 23, 24]),
      'node 5: not enough hashes to check it',
    ],
    [
      'a wrong uncle',
      [...pick(tree, [1, 12, 23, 24]), [6, wrong]],
      'node 2: does not match its children',
    ],
    [
      'an inner node that its children disown',
      [...pick(tree, [1, 2, 23, 24, 12]), [11, wrong]],
      'node 11: does not match its children',
    ],
    [
      'two values for one node',
      [...pick(tree, [1, 6, 12, 23, 24]), [24, wrong]],
      'node 24: contradicts the hash already here',
    ],
    ['another root', [[0, wrong]], 'node 0: contradicts the hash already here'],
    [
      'a node beyond the last',
      [...pick(tree, [1, 6, 12, 23, 24]), [31, wrong]],
      'node 31: outside 31 nodes',
    ],
    ['a negative node', [[-1, wrong]], 'node -1: outside 31 nodes'],
  ])('refuses %s, and forgets everything that came with it', (_, nodes, problem) => {
    const t = seeded();
    t.admitLeaf(0, leaf(0), pick(tree, [2, 4, 8, 16]));
    const before = held(t);
    expect(before).toEqual([0, 1, 2, 3, 4, 7, 8, 15, 16]);
    expect(() => t.admit(nodes)).toThrowError(corrupt(problem));
    expect(held(t)).toEqual(before);
    t.admitLeaf(9, leaf(9), pick(tree, [6, 12, 23]));
  });

  test('a tree of one leaf holds only its root', () => {
    const t = new VerifyingTree('tree', 1, wrong);
    t.admitLeaf(0, wrong);
    expect(() => t.admitLeaf(0, leaf(0))).toThrowError(
      corrupt('node 0: contradicts the hash already here'),
    );
    expect(() => t.admitLeaf(1, wrong)).toThrowError(
      new OutOfRangeError('leaf', 1, 'the tree has 1'),
    );
  });

  test('whatever subset of nodes comes, with one hash changed, nothing wrong is ever held', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 33 }).chain((leafCount) => {
          const nodes = fc.nat(nodeCount(leafCount) - 1);
          return fc.record({
            leafCount: fc.constant(leafCount),
            calls: fc.array(fc.array(fc.tuple(nodes, fc.boolean()), { maxLength: 40 })),
          });
        }),
        ({ leafCount, calls }) => {
          const nodes = buildHashTree(leavesOf(leafCount));
          const t = new VerifyingTree('tree', leafCount, nodes[0] as Uint8Array);
          for (const call of calls) {
            const offered = call.map(
              ([node, right]): HashNode => [node, right ? (nodes[node] as Uint8Array) : wrong],
            );
            try {
              t.admit(offered);
              expect(call.every(([, right]) => right)).toBe(true);
            } catch (error) {
              expect(error).toBeInstanceOf(CorruptShareError);
            }
            for (const [node, hash] of nodes.entries()) {
              const value = t.hashAt(node);
              if (value) expect(bytesToHex(value)).toBe(bytesToHex(hash));
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
