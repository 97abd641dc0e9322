/**
 * Names that other people choose may be any text: also those that every object of JavaScript has.
 */
import { expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { servermapJson, servermapText } from '../../src/cli/servermap-view.ts';
import { Grid } from '../../src/grid.ts';
import { createRecorder, toJson } from '../../src/runtime/trace.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { lookOf } from '../../visualizer/src/model/trace-model.ts';
import { altered, testKey } from '../support/client-grid.ts';

const NAMES = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', 'then', '7'];

test('servers that are called so keep a file, fail and are mapped like any others', async () => {
  const memory = NAMES.map((id) => new MemoryServer({ id }));
  const records: { readonly kind: string; readonly context?: unknown }[] = [];
  const inspect = createRecorder({ write: (record) => void records.push(record) });
  const encoding = { required: 2, happy: 7, total: 7 };
  const file = await new Grid({ servers: memory, encoding, inspect }).create({
    contents: utf8('anybody'),
    key: testKey,
  });
  await file.append(utf8('?'));
  const map = await file.servermap();
  expect(map.servers.map(({ id, status, failure }) => [id, status, failure]).sort()).toEqual(
    NAMES.map((id) => [id, 'good', null]).sort(),
  );
  const dead = memory.map((server, i) =>
    i < 5 ? altered(server, { listShares: () => Promise.reject(new Error('gone')) }) : server,
  );
  const grid = new Grid({ servers: dead, encoding, inspect });
  const half = await grid.open(file.writeCap).servermap();
  const failed = half.servers.filter(({ failure }) => failure?.detail.includes('gone'));
  expect(failed.map(({ id }) => id).sort()).toEqual(NAMES.slice(0, 5).sort());
  expect(await grid.open(file.readCap).read()).toEqual(utf8('anybody?'));

  const text = servermapText(half, dead);
  for (const name of NAMES.slice(0, 5)) expect(text).toMatch(new RegExp(`${name} .*: .*gone`));
  expect(JSON.parse(JSON.stringify(servermapJson(half, dead))).servers).toHaveLength(7);

  const told = records.flatMap(({ context }) => {
    const { statuses } = (context ?? {}) as { statuses?: object };
    return statuses === undefined ? [] : [Object.keys(statuses).sort()];
  });
  expect(told.length).toBeGreaterThan(3);
  for (const keys of told) expect(keys).toEqual([...NAMES].sort());
});

test('a record of a trace keeps every key', () => {
  const value = JSON.parse('{"__proto__": {"constructor": 1}, "toString": 2}');
  expect(JSON.stringify(toJson(value))).toBe('{"__proto__":{"constructor":1},"toString":2}');
});

test('a state of that name looks like any unknown one', () => {
  for (const name of NAMES) expect(lookOf(`a.${name}`)).toEqual({ tone: 'busy', shape: '◌' });
});
