/** Searches for keys of Node's: two at a time. */
import { expect, test } from 'vitest';
import { primitives } from '../../src/crypto/node.ts';

test('who waits for a search to begin can give it up, and the others get their keys', async () => {
  const { generateKey } = primitives;
  const given = new AbortController();
  const searches = [generateKey(), generateKey(), generateKey(given.signal), generateKey()];
  given.abort(new Error('enough'));
  const ended = await Promise.allSettled(searches);
  expect(ended.map(({ status }) => status)).toEqual([
    ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  ]);
  expect(ended[2]).toEqual({ status: 'rejected', reason: given.signal.reason });
});
