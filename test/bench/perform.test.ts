import { expect, test } from 'vitest';
import { type Abilities, perform } from '../../bench/tahoe/perform.ts';

/** A client that notes what it is asked, and uses 3 ms of CPU for each. */
function client(): Abilities & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const note = async (...what: readonly unknown[]) => void asked.push(what);
  return {
    asked,
    create: async (format, contents, key) => {
      await note('create', format, contents.length, key);
      return `cap${asked.length}`;
    },
    read: (cap) => note('read', cap),
    overwrite: (cap, contents, again) => note('overwrite', cap, contents.length, again),
    change: (cap, offset, patch, again) => note('change', cap, offset, patch.length, again),
    cpuMs: async () => 3 * asked.length,
  };
}

test('a file is made with each key, and its cap is kept', async () => {
  const it = client();
  const keys = [new Uint8Array([1]), new Uint8Array([2])];
  const sample = await perform(it, { kind: 'create', format: 'sdmf', size: 5, keys });
  expect(it.asked).toEqual([
    ['create', 'sdmf', 5, keys[0]],
    ['create', 'sdmf', 5, keys[1]],
  ]);
  expect(sample).toEqual({ caps: ['cap1', 'cap2'], cpuMs: 3, wallMs: expect.any(Number) });
});

test.each([
  [{ kind: 'read', cap: 'c', times: 3 } as const, ['read', 'c']],
  [{ kind: 'overwrite', cap: 'c', size: 7, times: 3 } as const, ['overwrite', 'c', 7, false]],
  [
    { kind: 'overwrite', cap: 'c', size: 7, times: 3, again: true } as const,
    ['overwrite', 'c', 7, true],
  ],
  [{ kind: 'in place', cap: 'c', offset: 9, times: 3 } as const, ['change', 'c', 9, 1024, false]],
])('$kind is done as often as the action says, and told per time', async (action, asked) => {
  const it = client();
  const sample = await perform(it, action);
  expect(it.asked).toEqual([asked, asked, asked]);
  expect(sample).toMatchObject({ caps: [], cpuMs: 3 });
});
