import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, lineOf, newestFirst, parentOf, type Versions } from '../../machines/lineage.ts';
import type { Version } from '../../machines/servermap.ts';
import { versionOf } from '../support/facts.ts';

const sight = (...versions: readonly Version[]): Versions =>
  Object.fromEntries(versions.map((version) => [version.id, version]));

/** first <- second <- third; a rival of the second; one that names nobody. */
const first = versionOf(1, 'a', { parent: null });
const second = versionOf(2, 'a', { parent: first });
const third = versionOf(3, 'a', { parent: second });
const rival = versionOf(2, 'b', { parent: first });
const stray = versionOf(4, 'z');
const all = sight(first, second, third, rival, stray);

describe('the parent of a version', () => {
  test('is the one that it names, nothing for a first one, or not known', () => {
    expect(parentOf(all, second)).toEqual({ kind: 'version', version: first });
    expect(parentOf(all, third)).toEqual({ kind: 'version', version: second });
    expect(parentOf(all, first)).toEqual({ kind: 'nothing' });
    expect(parentOf(all, stray)).toEqual({ kind: 'unknown' });
    expect(parentOf(all, { ...second, parentTag: null })).toEqual({ kind: 'unknown' });
  });

  test('is not known where it is out of sight', () => {
    expect(parentOf(sight(first, third), third)).toEqual({ kind: 'unknown' });
  });

  test('is older: a circle of names has no end', () => {
    const young = { ...first, seqnum: 2 };
    expect(parentOf(sight(young, second), second)).toEqual({ kind: 'unknown' });
    const self = { ...first, parentTag: first.tag };
    expect(parentOf(sight(self), self)).toEqual({ kind: 'unknown' });
    expect([...lineOf(sight(self), self)]).toEqual([self.id, self.tag]);
  });
});

describe('a version contains', () => {
  const inAll = (newer: Version, older: Version) => contains(all, newer, older);

  test('itself and all that it was built on', () => {
    expect([inAll(third, third), inAll(third, second), inAll(third, first)]).toEqual([
      ...['yes', 'yes', 'yes'],
    ]);
    // Also where it is not in sight itself.
    expect(contains(sight(first), second, first)).toBe('yes');
    expect(contains(sight(), stray, stray)).toBe('yes');
  });

  test('nothing as new, and nothing that its parents came by', () => {
    expect([inAll(first, second), inAll(rival, second), inAll(second, rival)]).toEqual([
      ...['no', 'no', 'no'],
    ]);
    expect(inAll(third, rival)).toBe('no');
    expect(inAll(versionOf(2, 'c'), second)).toBe('no');
    // The chain ends with a first version that is newer than what is looked for.
    const late = versionOf(3, 'c', { parent: null });
    expect(inAll(late, second)).toBe('no');
  });

  test('nobody knows what, where a name is missing', () => {
    expect([inAll(stray, third), inAll(stray, first)]).toEqual(['unknown', 'unknown']);
    expect(contains(sight(first, third), third, first)).toBe('unknown');
    // What it names is out of sight, but what is asked for is as new.
    expect(contains(sight(first, third), third, stray)).toBe('no');
  });
});

describe('the line of a version', () => {
  test('is what it is known to contain', () => {
    expect([...lineOf(all, third)]).toEqual([third.id, second.id, first.id]);
    // Of a parent that is out of sight the name.
    expect([...lineOf(all, stray)]).toEqual([stray.id, stray.parentTag]);
    expect([...lineOf(sight(first, third), third)]).toEqual([third.id, second.tag]);
    expect([...lineOf(all, { ...stray, parentTag: null })]).toEqual([stray.id]);
    expect([...lineOf(all, null)]).toEqual([]);
  });
});

test('newest first: by number, then by what is behind it in the checkstring', () => {
  expect(newestFirst(all)).toEqual([stray, third, rival, second, first]);
  const salted = { ...first, id: 'other', checkstring: `${first.checkstring}ff` };
  expect(newestFirst({ [first.id]: first, other: salted })).toEqual([salted, first]);
});

describe('whatever was built on what', () => {
  interface Descent {
    /** Which of those before it was the base; one that is not there: nothing. */
    readonly parent: number;
    readonly ahead: number;
    readonly isSeen: boolean;
    readonly isNamed: boolean;
  }
  const descents = fc.array(
    fc.record<Descent>({
      parent: fc.nat(8),
      ahead: fc.integer({ min: 1, max: 3 }),
      isSeen: fc.boolean(),
      isNamed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  );

  test('what is out of sight makes an answer unknown, never wrong', () => {
    fc.assert(
      fc.property(descents, (dice) => {
        const made: { version: Version; ancestors: ReadonlySet<string> }[] = [];
        for (const [i, { parent, ahead, isNamed }] of dice.entries()) {
          const base = made[parent];
          const seqnum = (base?.version.seqnum ?? 0) + ahead;
          const named = isNamed ? { parent: base?.version ?? null } : {};
          const version = versionOf(seqnum, String.fromCharCode(97 + i), named);
          made.push({ version, ancestors: new Set([...(base?.ancestors ?? []), version.id]) });
        }
        const seen = sight(...made.flatMap(({ version }, i) => (dice[i]?.isSeen ? version : [])));
        const isWhole = dice.every(({ isSeen, isNamed }) => isSeen && isNamed);
        for (const newer of made) {
          for (const { version: older } of made) {
            const truth = newer.ancestors.has(older.id) ? 'yes' : 'no';
            const answer = contains(seen, newer.version, older);
            if (isWhole || answer !== 'unknown') expect(answer).toBe(truth);
            const isInLine = lineOf(seen, newer.version).has(older.id);
            if (isInLine) expect(answer).toBe('yes');
            if (answer === 'yes' && seen[older.id] !== undefined) expect(isInLine).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
