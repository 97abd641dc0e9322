import { describe, expect, test } from 'vitest';
import { operationCancel } from '../../machines/events.ts';
import { modifyMachine } from '../../machines/modify.machine.ts';
import { chartCoverage } from '../support/coverage.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, passed, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof modifyMachine;

const coverage = chartCoverage(modifyMachine);
const failure = { kind: 'internal', detail: 'x' };
const mapped = answered('mapServers', { kind: 'mapped', mode: 'write', base: '01' });
const isRead = answered('readBase', { kind: 'read' });
const changed = answered('applyModifier', { kind: 'changed' });
const published = answered('publishVersion', { kind: 'published' });
const waited = passed('backoff', 'modify.backingOff');

/** At most three attempts. */
function start(...events: readonly object[]): Walk<Machine> {
  const it = walk(modifyMachine, { backoffsMs: [100, 250] }, coverage.onMicrostep);
  return events.reduce<Walk<Machine>>((w, event) => w.step(event as never), it);
}

describe('one attempt', () => {
  test('maps, reads, modifies, publishes', () => {
    const it = start();
    expect([it.state(), it.log()]).toEqual(['mapping', ['start mapServers {"attempt":0}']]);
    it.step(mapped);
    expect([it.state(), it.log()]).toEqual([
      'reading',
      ['stop mapServers', 'start readBase {"attempt":0}'],
    ]);
    it.step(isRead);
    expect([it.state(), it.log()]).toEqual([
      'modifying',
      ['stop readBase', 'start applyModifier {"attempt":0}'],
    ]);
    it.step(changed);
    expect([it.state(), it.log()]).toEqual([
      'publishing',
      ['stop applyModifier', 'start publishVersion {"attempt":0}'],
    ]);
    it.step(published);
    expect([it.state(), it.log()]).toEqual(['published', ['stop publishVersion']]);
    expect(it.output()).toEqual({ kind: 'published', attempts: 1, failure: null });
  });

  test('a modifier that wants no change publishes nothing', () => {
    const it = start(mapped, isRead, answered('applyModifier', { kind: 'unchanged' }));
    expect(it.state()).toBe('unchanged');
    expect(it.output()).toEqual({ kind: 'unchanged', attempts: 1, failure: null });
  });

  test.each([
    ['it threw', answered('applyModifier', { kind: 'threw' })],
    ['a bug around it', rejected('applyModifier', new Error('x'))],
  ])('a modifier that throws ends it: %s', (_, event) => {
    const it = start(mapped, isRead, event);
    expect([it.state(), it.output()]).toEqual([
      'threw',
      { kind: 'threw', attempts: 1, failure: null },
    ]);
  });

  test.each([
    ['mapping', [answered('mapServers', { kind: 'hopeless', failure })]],
    ['mapping', [rejected('mapServers', new Error('x'))]],
    ['reading', [mapped, rejected('readBase', new Error('x'))]],
    [
      'publishing',
      [mapped, isRead, changed, answered('publishVersion', { kind: 'hopeless', failure })],
    ],
    ['publishing', [mapped, isRead, changed, rejected('publishVersion', new Error('x'))]],
  ])('%s: what trying again would not help ends it', (_, events) => {
    const it = start(...events);
    expect(it.state()).toBe('failed');
    expect(it.output()).toEqual({ kind: 'failed', attempts: 1, failure });
  });
});

describe('a collision', () => {
  const collisions = {
    mapping: [answered('mapServers', { kind: 'contended', failure })],
    reading: [mapped, answered('readBase', { kind: 'contended', failure })],
    publishing: [
      mapped,
      isRead,
      changed,
      answered('publishVersion', { kind: 'contended', failure }),
    ],
  };

  test.each(Object.entries(collisions))(
    'in %s backs off and starts anew, with a fresh map',
    (_, events) => {
      const it = start(...events);
      expect(it.state()).toBe('backingOff');
      expect(it.log().at(-1)).toBe('after 100 ms backoff');
      it.step(waited);
      expect(it.state()).toBe('mapping');
      expect(it.log()).toEqual(['cancel backoff', 'start mapServers {"attempt":1}']);
    },
  );

  test('waits as long as it was told, and gives up when the waiting times are used up', () => {
    const it = start(...collisions.publishing, waited, ...collisions.mapping);
    expect(it.log().at(-1)).toBe('after 250 ms backoff');
    it.step(waited);
    for (const event of collisions.reading) it.step(event);
    expect(it.state()).toBe('gaveUp');
    expect(it.output()).toEqual({ kind: 'gaveUp', attempts: 3, failure });
  });

  test('then success counts the attempts', () => {
    const it = start(...collisions.publishing, waited, mapped, isRead, changed, published);
    expect(it.output()).toEqual({ kind: 'published', attempts: 2, failure });
  });
});

describe('cancel', () => {
  test.each([
    ['mapping', [], ['stop mapServers']],
    ['reading', [mapped], ['stop readBase']],
    ['modifying', [mapped, isRead], ['stop applyModifier']],
    ['publishing', [mapped, isRead, changed], ['stop publishVersion']],
    ['backingOff', [answered('mapServers', { kind: 'contended', failure })], ['cancel backoff']],
  ])('in %s ends it, and what is under way with it', (state, events, log) => {
    const it = start(...events);
    expect(it.state()).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.output().kind, it.log()]).toEqual(['cancelled', 'cancelled', log]);
  });
});

describe('what does not belong changes nothing', () => {
  const walks: Readonly<Record<string, readonly object[]>> = {
    mapping: [],
    reading: [mapped],
    modifying: [mapped, isRead],
    publishing: [mapped, isRead, changed],
    backingOff: [answered('mapServers', { kind: 'contended', failure })],
    published: [mapped, isRead, changed, published],
    failed: [rejected('mapServers', 'x')],
    cancelled: [operationCancel()],
  };
  test.each(Object.entries(walks))('in %s', (state, events) => {
    const it = start(...events);
    const { context } = it.snapshot();
    it.step(state === 'publishing' ? mapped : published);
    if (it.snapshot().status === 'done') it.step(operationCancel());
    expect([it.state(), it.context(), it.log()]).toEqual([state, context, []]);
  });
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(modifyMachine)).toEqual([
    'modify: Error: actor mapServers is named by a chart and not provided',
    'modify: Error: actor readBase is named by a chart and not provided',
    'modify: Error: actor applyModifier is named by a chart and not provided',
    'modify: Error: actor publishVersion is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
