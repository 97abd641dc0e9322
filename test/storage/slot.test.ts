import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutOfRangeError } from '../../src/errors.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import { checkRequest } from '../../src/storage/request.ts';
import type { ShareWrite, WritePart } from '../../src/storage/server.ts';
import { cutRange, type HeldShare, planChanges, produceParts } from '../../src/storage/slot.ts';
import { part, random, randomSecrets, TestSlot, write } from '../support/test-slot.ts';

/** A share of `length` bytes that nobody reads. */
function heldOf(length: number): HeldShare {
  return { writeEnabler: new Uint8Array(32), length, read: () => Promise.reject(new Error()) };
}

function planOf(oldLength: number | undefined, change: ShareWrite) {
  const held = new Map(oldLength === undefined ? [] : [[0, heldOf(oldLength)]]);
  return planChanges(held, new Map([[0, change]])).get(0);
}

test('a range is cut at the end of a share', () => {
  expect(cutRange({ offset: 2, length: 3 }, 10)).toEqual({ offset: 2, length: 3 });
  expect(cutRange({ offset: 8, length: 3 }, 10)).toEqual({ offset: 8, length: 2 });
  expect(cutRange({ offset: 11, length: 3 }, 10)).toEqual({ offset: 10, length: 0 });
  const most = Number.MAX_SAFE_INTEGER;
  expect(cutRange({ offset: 1, length: most }, 10)).toEqual({ offset: 1, length: 9 });
  expect(cutRange({ offset: most, length: most }, 10)).toEqual({ offset: 10, length: 0 });
});

test('the old bytes are kept only when some of them stay', () => {
  const keeps = (oldLength: number, change: Partial<ShareWrite>) => {
    const plan = planOf(oldLength, write(change));
    return plan?.kind === 'rewrite' && plan.keepsOld;
  };
  expect(keeps(6, {})).toBe(true);
  expect(keeps(6, { parts: [part(0, 'abcde')] })).toBe(true);
  expect(keeps(6, { parts: [part(0, 'abcdef')] })).toBe(false);
  expect(keeps(6, { parts: [part(3, 'def'), part(0, 'abc')] })).toBe(false);
  expect(keeps(6, { parts: [part(0, 'abc'), part(4, 'ef')] })).toBe(true);
  expect(keeps(6, { parts: [part(1, 'bcdef')] })).toBe(true);
  expect(keeps(6, { parts: [part(0, 'ab')], newLength: 2 })).toBe(false);
  expect(keeps(0, {})).toBe(false);
});

test('a share is deleted only if there is one', () => {
  expect(planOf(3, write({ newLength: 0 }))).toEqual({ kind: 'delete' });
  expect(planOf(undefined, write({ newLength: 0 }))).toBe(undefined);
});

test('a zero-length part beyond the end extends the share, as with a real server', () => {
  expect(planOf(2, write({ parts: [part(5, '')] }))).toMatchObject({ length: 5 });
});

test('parts beyond the new end are cut, but produced, and at most one is in memory', async () => {
  const live: string[] = [];
  const lazy = (offset: number, text: string): WritePart => ({
    ...part(offset, text),
    bytes: async () => {
      live.push(text);
      return new TextEncoder().encode(text);
    },
  });
  const plan = planOf(0, write({ parts: [lazy(0, 'abc'), lazy(5, 'xyz')], newLength: 2 }));
  if (plan?.kind !== 'rewrite') throw new Error('is rewritten');
  const pieces = produceParts(plan);
  expect(live).toEqual([]);
  expect((await pieces.next()).value).toEqual({ offset: 0, bytes: Uint8Array.of(97, 98) });
  expect(live).toEqual(['abc']);
  expect((await pieces.next()).done).toBe(true);
  expect(live).toEqual(['abc', 'xyz']);
});

/** What docs/format.md §6.3 says of one share, in the plainest way. */
function byTheBook(old: number[] | undefined, { parts, newLength }: PlainWrite) {
  if (newLength === 0) return undefined;
  const bytes = [...(old ?? [])];
  for (const { offset, content } of parts) {
    while (bytes.length < offset) bytes.push(0);
    bytes.splice(offset, content.length, ...content);
  }
  return newLength === null ? bytes : bytes.slice(0, newLength);
}

interface PlainWrite {
  readonly parts: readonly { readonly offset: number; readonly content: number[] }[];
  readonly newLength: number | null;
}

const plainWrites = fc.array(
  fc.record({
    parts: fc.array(
      fc.record({
        offset: fc.nat(20),
        content: fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 8 }),
      }),
      { maxLength: 4 },
    ),
    newLength: fc.option(fc.nat(25)),
  }),
  { minLength: 1, maxLength: 5 },
);

test('any writes to a share, one after another, give what the rules say', async () => {
  await fc.assert(
    fc.asyncProperty(plainWrites, async (writes) => {
      const slot = new TestSlot(new MemoryServer({ id: 'm0' }));
      let expected: number[] | undefined;
      for (const { parts, newLength } of writes) {
        const made = parts.map(({ offset, content }) => part(offset, Uint8Array.from(content)));
        await slot.send({ 0: write({ parts: made, newLength }) });
        expected = byTheBook(expected, { parts, newLength });
        const held = diskOf(slot.server as MemoryServer).shareBytes(slot.storageIndex, 0);
        expect(held && [...held]).toEqual(expected);
      }
    }),
  );
});

test('a request names what is wrong with it, and no secret', () => {
  const secrets = { ...randomSecrets(), writeEnabler: random(33) };
  const request = { secrets, shares: new Map(), reads: [] };
  expect(() => checkRequest(request)).toThrowError(
    new OutOfRangeError('write enabler length', 33, 'must be 32 bytes'),
  );
  const negative = new Map([[0, write({ newLength: -5 })]]);
  expect(() =>
    checkRequest({ secrets: randomSecrets(), shares: negative, reads: [] }),
  ).toThrowError(new OutOfRangeError('new length', -5, 'must be a whole number from 0 to 2^53-1'));
});

test('whoever gives up is not kept by a part that never comes', async () => {
  const never = { ...part(0, 'a'), bytes: () => new Promise<Uint8Array>(() => {}) };
  const plan = planOf(0, write({ parts: [never] }));
  if (plan?.kind !== 'rewrite') throw new Error('is rewritten');
  const controller = new AbortController();
  const piece = produceParts(plan, controller.signal).next();
  controller.abort(new Error('enough'));
  await expect(piece).rejects.toThrowError('enough');
});
