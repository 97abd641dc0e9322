import { describe, expect, test } from 'vitest';
import { type AnyActorLogic, type AnyStateMachine, createActor, toPromise } from 'xstate';
import * as machines from '../../machines/index.ts';
import { failed, internalFailure } from '../../machines/io.ts';

/** The IO of every chart: its actors that are no charts themselves. */
const named = Object.values(machines)
  .filter((it): it is typeof it & AnyStateMachine => typeof it === 'object' && 'root' in it)
  .flatMap(({ id, implementations }) =>
    Object.entries(implementations.actors as Readonly<Record<string, AnyActorLogic>>)
      .filter(([, logic]) => !('root' in logic))
      .map(([name, logic]) => [id, name, logic] as const),
  );

test('every chart names its IO', () => {
  expect(named.map(([id, name]) => `${id}: ${name}`)).toEqual([
    'blockRead: readBlocks',
    'modify: mapServers',
    'modify: readBase',
    'modify: applyModifier',
    'modify: publishVersion',
    'publish: prepareShares',
    'retrieve: decodeSegments',
    'serverQuery: queryServer',
    'serverQuery: verifyShares',
    'shareWrite: writeShare',
    'shareWrite: rereadShare',
  ]);
});

describe('IO that nobody provides', () => {
  test.each(named)('%s: %s ends with an error that says its name', async (_, name, logic) => {
    const actor = createActor(logic, { input: {} });
    const ended = toPromise(actor);
    actor.start();
    const message = `actor ${name} is named by a chart and not provided`;
    await expect(ended).rejects.toThrowError(new Error(message));
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
