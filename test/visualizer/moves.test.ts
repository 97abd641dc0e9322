/** What the inspector tells of an actor: its moves, its changes, its failures. */
import { describe, expect, test } from 'vitest';
import type { Chart } from '../../src/inspector/chart.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { chartEntries } from '../../visualizer/src/engine/chart-entries.ts';
import { Session } from '../../visualizer/src/engine/session.ts';
import { changesIn, fieldsOf } from '../../visualizer/src/model/changes.ts';
import { failuresIn } from '../../visualizer/src/model/failures.ts';
import { type Move, type Moves, movesAt } from '../../visualizer/src/model/moves.ts';
import { TraceModel, type Track } from '../../visualizer/src/model/trace-model.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';

const chartOf = (name: string) =>
  chartEntries().find((entry) => entry.name === name)?.chart as Chart;

/** `w1` of the scene of #2034, on our side, to its end; and how many records each step has. */
async function ticket(): Promise<{ model: TraceModel; ends: readonly number[] }> {
  const { scene, labels } = presets.find(({ id }) => id === '2034') as Preset;
  const session = await Session.begin(scene);
  await session.follow(labels);
  await session.finish();
  const model = new TraceModel(true);
  const ends: number[] = [];
  for (const { sides } of session.frames) {
    model.add(sides[1]?.records ?? []);
    ends.push(model.records.length);
  }
  return { model, ends };
}

/** A step in words, as a test reads them. */
const told = ({ event, source, from, to, steps, atRest }: Move) => ({
  event,
  source,
  from,
  to,
  asked: steps.map(({ asked }) =>
    asked?.map(({ transition, verdict }) => `${verdict}: ${transition.guard || 'always'}`),
  ),
  atRest: atRest.map(({ guard }) => guard),
});

describe('the moves of an actor', () => {
  test('at the decisive step of #2034: who told it what, what was taken, and what was not', async () => {
    const { model, ends } = await ticket();
    const track = model.tracks.get('w1/writeFile/servermapUpdate') as Track;
    const at = (step: number) => ({ before: ends[step - 1] ?? 0, position: ends[step] ?? 0 });
    const { moves, isNow, before, after } = movesAt(
      model,
      track,
      chartOf('servermapUpdate'),
      at(8),
    ) as Moves;
    expect(moves.map(told)).toEqual([
      {
        ...{ event: 'server.settled', source: 'w1/writeFile/servermapUpdate/query:s1' },
        ...{ from: 'collecting.verifying', to: 'collecting.verifying' },
        asked: [['refused: isLastVerification', 'taken: isOpen']],
        atRest: [],
      },
    ]);
    expect(moves[0]?.data).toMatchObject({ report: { server: 's1', status: 'good' } });
    expect(isNow).toBe(true);
    const changed = fieldsOf(before, after).filter(({ change }) => change !== 'same');
    expect(changed.map(({ key }) => key)).toEqual(['statuses']);
    expect(changed[0]?.fields?.filter(({ change }) => change !== 'same')).toEqual([
      { key: 's1', change: 'changed', value: 'good', was: 'verifying', fields: null },
    ]);
    // Nobody tells it anything for a while: what it did last is told, and that it was before.
    const later = movesAt(model, track, chartOf('servermapUpdate'), at(10)) as Moves;
    expect({ isNow: later.isNow, column: later.mark.column }).toEqual({ isNow: false, column: 8 });
    expect(later.moves).toEqual(moves);
    const end = movesAt(model, track, chartOf('servermapUpdate'), at(13)) as Moves;
    expect(end.moves.map(told)).toEqual([
      {
        ...{ event: 'server.settled', source: 'w1/writeFile/servermapUpdate/query:s4' },
        ...{ from: 'collecting.verifying', to: 'done' },
        asked: [['taken: isLastVerification', 'unasked: isOpen'], ['taken: isOver']],
        atRest: [],
      },
    ]);
  });

  test('at its beginning: what it was given, and what follows by itself', async () => {
    const { model } = await ticket();
    const track = model.tracks.get('w1/writeFile/publish') as Track;
    const position = track.marks[0]?.position as number;
    const range = { before: position - 1, position };
    const { moves, before } = movesAt(model, track, chartOf('publish'), range) as Moves;
    expect(before).toBeUndefined();
    expect(moves.map(told)).toEqual([
      {
        ...{ event: 'xstate.init', source: null, from: 'choosingTargets', to: 'preparing' },
        asked: [['taken: isNext prepare', 'unasked: always']],
        atRest: [],
      },
    ]);
    expect(moves[0]?.data).toHaveProperty('map');
  });

  test('before its beginning there is nothing', async () => {
    const { model } = await ticket();
    const track = model.tracks.get('w1/writeFile/publish') as Track;
    expect(movesAt(model, track, undefined, { before: 0, position: 10 })).toBeUndefined();
  });

  test('each event is told with the step that it caused, if two of a kind wait; without its chart too', () => {
    const about = { seq: 0, at: 0, step: 0 };
    const event = (n: number): TraceRecord => ({
      ...{ kind: 'event', actor: 'a', source: null, type: 'go', data: { n }, ...about },
    });
    const step = (n: number): TraceRecord => ({
      ...{ kind: 'step', actor: 'a', chart: 'own', event: 'go', state: `s${n}`, context: { n } },
      transitions: [{ source: 's', event: 'go', index: 0, target: null }],
      ...about,
    });
    const model = new TraceModel(false);
    const actor = { kind: 'actor', actor: 'a', chart: 'own', parent: null, input: null } as const;
    model.add([{ ...actor, ...about }, event(1), event(2), step(1), step(2)]);
    const track = model.tracks.get('a') as Track;
    const { moves } = movesAt(model, track, undefined, { before: 0, position: 5 }) as Moves;
    expect(moves.map(({ to, data, steps }) => ({ to, data, steps }))).toEqual([
      { to: 's1', data: { n: 1 }, steps: [{ asked: null, to: 's1' }] },
      { to: 's2', data: { n: 2 }, steps: [{ asked: null, to: 's2' }] },
    ]);
  });
});

test('changes are told field by field, whatever a field is called', () => {
  const before = JSON.parse('{"a":1,"gone":true,"list":[1,2],"same":{"x":[]},"__proto__":1}');
  const now = JSON.parse(
    '{"a":2,"list":[1,3,4],"same":{"x":[]},"__proto__":{},"constructor":null}',
  );
  const fields = fieldsOf(before, now);
  expect(fields.map(({ key, change, was }) => [key, change, was])).toEqual([
    ['a', 'changed', 1],
    ['list', 'changed', undefined],
    ['same', 'same', undefined],
    ['__proto__', 'changed', 1],
    ['constructor', 'added', undefined],
    ['gone', 'removed', undefined],
  ]);
  expect(changesIn(fields)).toBe(6);
  expect(changesIn(fieldsOf(undefined, now))).toBe(0);
});

test('what is as deep as a hole is cut, and nothing breaks', () => {
  let deep: Record<string, unknown> = {};
  for (let i = 0; i < 20_000; i++) deep = { deep };
  expect(changesIn(fieldsOf(deep as never, { ...deep } as never))).toBe(0);
  expect(failuresIn(deep as never)).toEqual([]);
});

test('failures are found wherever they are, each with its place', () => {
  const output = {
    kind: 'gaveUp',
    failures: [{ kind: 'timeout', detail: 'no answer to the query' }],
    holdings: [{ server: 's1', verdict: { kind: 'bad', reason: 'a block does not fit' } }],
    thrown: { error: 'TypeError', message: 'x is not a function' },
    failure: null,
  };
  expect(failuresIn(output)).toEqual([
    { where: 'thrown', text: 'TypeError: x is not a function' },
    { where: 'failures.0', text: 'timeout: no answer to the query' },
    { where: 'holdings.0.verdict', text: 'bad: a block does not fit' },
  ]);
});
