/** Waiting for what the waiter may lose interest in. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { followerOf } from '../../src/abort.ts';

describe('followers of a signal', () => {
  test('are aborted with it, but for those that were let go', () => {
    const signal = new AbortController();
    const [kept, gone] = [followerOf(signal.signal), followerOf(signal.signal)];
    gone.letGo();
    signal.abort('enough');
    expect([kept.controller.signal.reason, gone.controller.signal.aborted]).toEqual([
      'enough',
      false,
    ]);
    expect(followerOf(signal.signal).controller.signal.reason).toBe('enough');
    expect(followerOf(undefined).controller.signal.aborted).toBe(false);
  });

  test('need one listener, however many they are', () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 50; i++) followerOf(signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  });
});
