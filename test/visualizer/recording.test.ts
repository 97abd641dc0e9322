/** A recording without a browser: what is found in it, its tree, its lanes in milliseconds. */
import { describe, expect, test } from 'vitest';
import { drawnBars, type Frame } from '../../visualizer/src/model/lane-drawing.ts';
import {
  fitted,
  keeping,
  panned,
  ticksIn,
  timeWords,
  zoomed,
} from '../../visualizer/src/model/lane-scale.ts';
import {
  durationWords,
  outcomeOf,
  shortFile,
  treeRows,
} from '../../visualizer/src/model/operation-tree.ts';
import type { Operation } from '../../visualizer/src/model/run-model.ts';
import { type Filters, noFilters, SearchIndex } from '../../visualizer/src/model/search.ts';
import { isTelling, timeLanes } from '../../visualizer/src/model/time-lanes.ts';
import { TraceModel } from '../../visualizer/src/model/trace-model.ts';
import { troublesOf } from '../../visualizer/src/model/troubles.ts';
import { fileOf, lostReason, type MadeRun, madeRun } from '../support/made-run.ts';

function modelOf(options: MadeRun): TraceModel {
  const model = new TraceModel(false);
  model.add(madeRun(options));
  return model;
}

const operationOf = (model: TraceModel, name: string) =>
  model.run.operations.get(name) as Operation;

describe('operations are found', () => {
  const model = modelOf({ operations: 10, servers: 6, lost: 3, failing: 4 });
  const index = new SearchIndex(model);
  const find = (filters: Partial<Filters>) => index.find({ ...noFilters, ...filters });
  const names = (filters: Partial<Filters>) => find(filters).operations.map(({ name }) => name);

  test('all of them, without words and filters', () => {
    expect(names({})).toEqual([...model.run.operations.keys()]);
    expect(find({}).hits).toEqual([]);
  });

  test.each<[string, Partial<Filters>, readonly string[]]>([
    ['by name', { text: 'READ~7' }, ['read~7']],
    ['by file', { text: fileOf(2) }, ['read~3']],
    ['by error', { text: 'not enough shares' }, ['read~5']],
    ['by words that are in different records', { text: 'read~5 undeliverable good' }, ['read~5']],
    ['by a filter of the file', { file: fileOf(0) }, ['read', 'read~9']],
    ['by a filter of the outcome', { outcome: 'failed' }, ['read~5']],
    ['by all filters at once', { file: fileOf(0), outcome: 'failed' }, []],
    ['nothing, by a word that is nowhere', { text: 'read nowhere' }, []],
    ['nothing, by a server that is nowhere', { server: 'constructor' }, []],
  ])('%s', (_, filters, expected) => {
    expect(names(filters)).toEqual(expected);
  });

  test('by a server’s nickname, an error text, a state: hits are the records that have them', () => {
    for (const [text, kinds] of [
      ['read~2 econnrefused', ['message lost', 'step failed']],
      ['read~2 box-3 list', ['message sent', 'message lost']],
      ['read~2 collecting', ['step collecting.awaiting']],
      ['read~2', ['operation ended']],
    ] as const) {
      const { operations, hits } = find({ text });
      expect(operations.map(({ name }) => name)).toEqual(['read~2']);
      const told = hits.map((hit) => {
        const record = model.records[hit];
        if (record?.kind === 'step') return `step ${record.state}`;
        return record !== undefined && 'event' in record ? `${record.kind} ${record.event}` : '';
      });
      expect(told).toEqual(kinds);
    }
  });

  test('as they come, in a run that grows', () => {
    const records = madeRun({ operations: 3, servers: 2 });
    const growing = new TraceModel(false);
    const live = new SearchIndex(growing);
    const found = records.map((record) => {
      growing.add([record]);
      return live.find({ ...noFilters, text: 'read~3', server: 'v0-server1' }).operations.length;
    });
    expect(found).toEqual(found.toSorted());
    expect([found[0], found.at(-1)]).toEqual([0, 1]);
  });
});

describe('the tree', () => {
  const model = modelOf({ operations: 3, servers: 2, lost: 1, failing: 1 });
  const operations = [...model.run.operations.values()];
  const rowsOf = (open: readonly string[]) =>
    treeRows(model, operations, new Set(open)).map(
      ({ id, level, isOpen, place, siblings }) =>
        `${level} ${id} ${isOpen} ${place} of ${siblings}`,
    );

  test('has the operations, and what they have invoked below those that are open', () => {
    expect(rowsOf([])).toEqual([
      '1 read false 1 of 3',
      '1 read~2 false 2 of 3',
      '1 read~3 false 3 of 3',
    ]);
    const root = 'read~2/readFile';
    const update = `${root}/servermapUpdate`;
    expect(rowsOf(['read~2', root, update]).slice(1, -1)).toEqual([
      '1 read~2 true 2 of 3',
      `2 ${root} true 1 of 1`,
      `3 ${update} true 1 of 1`,
      `4 ${update}/query:v0-server0 null 1 of 2`,
      `4 ${update}/query:v0-server1 null 2 of 2`,
    ]);
  });

  test('says how it went, in a word and a shape, and how long it took', () => {
    const looks = operations.map((it) => {
      const { shape, word } = outcomeOf(it, false);
      const span = { from: it.started.at, to: it.ended?.at ?? null };
      return `${shape} ${word} ${durationWords(span, 0)} ${shortFile(it.file)}`;
    });
    expect(looks).toEqual([
      '✓ done 52 ms az3kq5bm',
      '✗ failed 52 ms bz3kq5bm',
      '✓ done 52 ms cz3kq5bm',
    ]);
  });

  test('says of what has no end that it runs, or that its end was not recorded', () => {
    const running = { outcome: 'running' } as const;
    expect(outcomeOf(running, true).word).toBe('running');
    expect(outcomeOf(running, false).word).toBe('no end recorded');
    expect(durationWords({ from: 10, to: null }, 1300)).toBe('1,290 ms so far');
  });

  test('does not tell an embedder’s machine twice', () => {
    const own = new TraceModel(false);
    const stamps = { seq: 0, at: 0, step: 0 };
    own.add([
      {
        kind: 'actor',
        actor: '__proto__',
        chart: 'constructor',
        parent: null,
        input: null,
        ...stamps,
      },
      {
        ...{
          kind: 'step',
          actor: '__proto__',
          chart: 'constructor',
          event: 'xstate.init',
          ...stamps,
        },
        ...{ state: 'toString', transitions: [], context: null },
      },
    ]);
    const rows = treeRows(own, [...own.run.operations.values()], new Set(['__proto__']));
    expect(rows.map(({ id, level, isOpen }) => [id, level, isOpen])).toEqual([
      ['__proto__', 1, null],
    ]);
  });
});

describe('a failure', () => {
  test('is led to servers and reasons, each at its moment', () => {
    const model = modelOf({ operations: 2, servers: 4, lost: 2, silent: 3, failing: 1 });
    const operation = operationOf(model, 'read~2');
    const told = troublesOf(model, operation).map(({ server, troubles }) => [
      server,
      troubles.map(({ at, what, reason }) => `${at - operation.started.at} ${what}: ${reason}`),
    ]);
    expect(told).toEqual([
      ['v0-server2', [`4 list lost: ${lostReason}`, '4 servermapUpdate query failed: null']],
      ['v0-server3', ['2001 servermapUpdate query failed: timeout: no answer within 2000 ms']],
      [null, ['2003 readFile undeliverable: null']],
    ]);
  });

  test('leads to the record that tells of it', () => {
    const model = modelOf({ operations: 1, servers: 4, lost: 2 });
    const [group] = troublesOf(model, operationOf(model, 'read'));
    const records = group?.troubles.map(({ position }) => model.records[position - 1]);
    expect(records?.map((record) => record?.kind)).toEqual(['message', 'step']);
  });
});

describe('the scale of milliseconds', () => {
  test('has the whole run in view, with room on the right for words', () => {
    expect(fitted(0, 870, 1000)).toEqual({ from: -10, perPixel: 1 });
    // A run of one moment is no division by zero.
    expect(fitted(5, 5, 1000).perPixel).toBeGreaterThan(0);
  });

  test('is zoomed around a place, and panned no farther than the run', () => {
    const view = { from: 100, perPixel: 1 };
    const nearer = zoomed(view, 2, 50, 1000);
    expect(nearer).toEqual({ from: 125, perPixel: 0.5 });
    expect(nearer.from + 50 * nearer.perPixel).toBe(150);
    expect(panned(view, -10_000, 400, 1000).from).toBe(-200);
    expect(panned(view, 10_000, 400, 1000).from).toBe(800);
  });

  test('keeps what is looked at in view', () => {
    const view = { from: 100, perPixel: 1 };
    expect(keeping(view, 150, 400)).toBe(view);
    expect(keeping(view, 50, 400)).toEqual({ from: -70, perPixel: 1 });
    expect(keeping(view, 900, 400)).toEqual({ from: 560, perPixel: 1 });
  });

  test.each<[number, number, readonly string[]]>([
    [0, 0.01, ['0', '1 ms', '2 ms', '3 ms', '4 ms', '5 ms']],
    [0, 1, ['0', '100 ms', '200 ms', '300 ms', '400 ms', '500 ms']],
    [900, 1, ['900 ms', '1.0 s', '1.1 s', '1.2 s', '1.3 s', '1.4 s']],
    [1000, 0.1, ['1.00 s', '1.01 s', '1.02 s', '1.03 s', '1.04 s', '1.05 s']],
    [0, 10, ['0', '1 s', '2 s', '3 s', '4 s', '5 s']],
    [0, 300, ['0', '30 s', '1 min', '1 min 30 s', '2 min', '2 min 30 s']],
    [0, 600, ['0', '1 min', '2 min', '3 min', '4 min', '5 min']],
  ])('has sensible ticks from %i, %f ms in a pixel', (from, perPixel, expected) => {
    const words = ticksIn({ from, perPixel }, 600, 84).map((tick) => tick.words);
    expect(words.slice(0, 6)).toEqual(expected);
  });

  test('tells a moment as exactly as it is known', () => {
    expect([0, 7, 999, 1204, 65_004].map((ms) => timeWords(ms))).toEqual([
      ...['0', '7 ms', '999 ms', '1.204 s', '1 min 5.004 s'],
    ]);
  });
});

describe('lanes in milliseconds', () => {
  const model = modelOf({ operations: 4, servers: 5, lost: 2, silent: 3, failing: 1 });
  const one = operationOf(model, 'read~2');
  const all = [...model.run.operations.values()];
  const asked = { operations: all, isOne: false, server: null, isLive: false };
  const named = (lanes: ReturnType<typeof timeLanes>) =>
    lanes.rows.map(({ kind, name, title }) => `${kind} ${name} ${title}`.trim());

  test('are one for operations that follow each other, and one for each server, by its nickname', () => {
    expect(named(timeLanes(model, asked))).toEqual([
      'operation operations',
      'server box-0 box-0 (v0-server0)',
      'server box-1 box-1 (v0-server1)',
      'server box-2 box-2 (v0-server2)',
      'server box-3 box-3 (v0-server3)',
      'server v0-server4 v0-server4',
    ]);
  });

  test('of one operation have its charts; what is filtered out is not there', () => {
    const lanes = timeLanes(model, {
      ...{ operations: [one], isOne: true, server: 'v0-server3', isLive: false },
    });
    expect(named(lanes)).toEqual([
      'operation read~2',
      'chart readFile readFile',
      'chart servermapUpdate readFile/servermapUpdate',
      'server box-3 box-3 (v0-server3)',
    ]);
    expect(new Set(lanes.bars.map(({ operation }) => operation))).toEqual(new Set(['read~2']));
    expect(lanes.calls.map(({ title }) => title)).toEqual([
      'box-3 (v0-server3): list: 300 bytes sent, 2,000 ms, abandoned',
    ]);
  });

  test('have bars from state to state at their times', () => {
    const lanes = timeLanes(model, { ...asked, operations: [one], isOne: true });
    const bars = lanes.bars.filter(({ actor }) => actor?.endsWith('query:v0-server0'));
    const begun = one.started.at;
    expect(bars.map(({ words, from, to }) => [words, from - begun, (to ?? 0) - begun])).toEqual([
      ['querying', 1, 5],
      ['verifying', 5, 13],
      ['good', 13, 13],
    ]);
    expect(bars[0]?.title).toMatch(/servermapUpdate\/query:box-0: querying, /);
  });

  test('put what happens at once below one another, and nothing over another lane', () => {
    const busy = modelOf({ operations: 3, servers: 2, isAtOnce: true });
    const { rows, bars } = timeLanes(busy, {
      ...asked,
      operations: [...busy.run.operations.values()],
    });
    for (const bar of bars) {
      const row = rows.find(({ y, height }) => bar.y >= y && bar.y + bar.height <= y + height);
      expect(row?.kind).toBe(bar.actor === null ? 'operation' : 'server');
      const over = bars.filter(
        (other) =>
          other !== bar &&
          other.y === bar.y &&
          other.from < (bar.to ?? 0) &&
          (other.to ?? 0) > bar.from,
      );
      expect(over).toEqual([]);
    }
    expect(rows.filter(({ kind }) => kind === 'operation')).toHaveLength(3);
  });

  test('tell a call with its size, its duration and why it is lost', () => {
    const titles = timeLanes(model, { ...asked, operations: [one], isOne: true }).calls.map(
      ({ title }) => title,
    );
    expect(titles).toContain('box-0 (v0-server0): list: 300 bytes sent, 4,200 received, 4 ms');
    expect(titles).toContain(`box-2 (v0-server2): list: 300 bytes sent, 3 ms, lost: ${lostReason}`);
  });

  test('have the deadline of a query that waits, or has waited for so long; of no other', () => {
    const { deadlines } = timeLanes(model, { ...asked, operations: [one], isOne: true });
    const begun = one.started.at;
    const telling = (now: number) =>
      deadlines.filter((it) => isTelling(it, now)).map(({ title, at }) => [title, at - begun]);
    // Server 4 has no nickname.
    const queryOf = (i: number) =>
      `read~2/readFile/servermapUpdate/query:${i === 4 ? 'v0-server4' : `box-${i}`}: the deadline of querying, 2,000 ms`;
    // At its end: only the silent one. When all had just been asked: that of each that waits.
    expect(telling(one.ended?.at ?? 0)).toEqual([[queryOf(3), 2001]]);
    expect(telling(begun + 6)).toEqual(
      [
        ...[1, 3, 4].map((i) => [queryOf(i), 2001]),
        ['read~2/readFile/servermapUpdate/query:box-0: the deadline of verifying, 2,000 ms', 2005],
      ].toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
    );
  });

  test('draw what is too short to be seen, too, and words where they have room', () => {
    const { bars, height } = timeLanes(model, { ...asked, operations: [one], isOne: true });
    const view = fitted(one.started.at, one.ended?.at ?? 0, 900);
    const frame: Frame = { view, width: 1000, gutter: 100, now: 0, top: 0, bottom: height };
    const drawn = drawnBars(bars, frame);
    expect(drawn.filter(({ width }) => width < 3)).toEqual([]);
    const failed = drawn.find(
      ({ bar }) => bar.actor?.endsWith('query:v0-server2') && bar.to === bar.from,
    );
    expect([failed?.words, failed?.isBeside]).toEqual(['✗ failed', true]);
    for (const { words, wordsX, x, width, bar, isBeside } of drawn) {
      if (words.length < 2) continue;
      const next = drawn.find((it) => it.bar.y === bar.y && it.x > x);
      const end = isBeside ? (next?.x ?? 1000) : x + width;
      expect(wordsX + words.length * 6.4).toBeLessThanOrEqual(end);
    }
  });
});
