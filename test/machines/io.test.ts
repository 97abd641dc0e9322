import { describe, expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { failed, internalFailure, unprovided, unprovidedVerifier } from '../../machines/io.ts';

describe('IO that nobody provides', () => {
  const input = { server: 's0', shnums: [0], wantsPrivateKey: false };
  test.each([
    ['readBlocks', createActor(unprovided('readBlocks'))],
    ['verifyShares', createActor(unprovidedVerifier, { input })],
  ])('%s ends with an error that says its name', async (name, actor) => {
    const end = toPromise(actor as ReturnType<typeof createActor>);
    actor.start();
    const message = `actor ${name} is named by a chart and not provided`;
    await expect(end).rejects.toThrowError(new Error(message));
  });
});

describe('a failure', () => {
  test('is a value', () => {
    const failure = { kind: 'timeout', detail: 'no answer' };
    expect(failed('timeout', 'no answer')).toEqual({ ok: false, failure });
  });

  test.each([
    [new Error('disk full'), 'disk full'],
    ['odd', 'odd'],
    [undefined, 'undefined'],
  ])('of a provider is told in one line: %s', (error, detail) => {
    expect(internalFailure(error)).toEqual({ kind: 'internal', detail });
  });
});
