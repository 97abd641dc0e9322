import { describe, expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { unprovided, unprovidedVerifier } from '../../machines/io.ts';

describe('IO that nobody provides', () => {
  const input = { server: 's0', shnums: [0], wantsPrivateKey: false, wantsNumbers: false };
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
