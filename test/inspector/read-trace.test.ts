/** The text of a trace as records: whole lines, and what is wrong said by its line. */
import { describe, expect, test } from 'vitest';
import { readTrace } from '../../src/inspector/read-trace.ts';

const stamps = { seq: 0, at: 0, step: 0 };
const about = { run: 'real', began: '2026-11-27T18:00:00.000Z', version: '1.0.0' };
const header = { kind: 'header', format: 'tahoe-mutable-trace 2', about, ...stamps };
const actor = {
  ...{ kind: 'actor', actor: 'read~1/readFile', chart: 'readFile', parent: null, input: null },
  ...{ seq: 1, at: 3, step: 0 },
};

const textOf = (...records: readonly unknown[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');
const problemWith = (text: string) => {
  try {
    return readTrace('run.jsonl', text);
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a trace is read', () => {
  test('record by record', () => {
    expect(readTrace('run.jsonl', textOf(header, actor))).toEqual({
      records: [header, actor],
      note: null,
    });
  });

  test('up to the line that a killed process did not finish, with a note', () => {
    const text = textOf(header, actor, actor);
    for (const cut of [1, 2, 30]) {
      const read = readTrace('run.jsonl', text.slice(0, -cut));
      // Without its end of line only, the last line is whole.
      expect(read).toEqual({
        records: cut === 1 ? [header, actor, actor] : [header, actor],
        note: cut === 1 ? null : 'Line 3, the last one, is cut off: the end is missing.',
      });
    }
  });

  test('with the line ends of Windows, and with empty lines', () => {
    const text = textOf(header, actor).replaceAll('\n', '\r\n\r\n');
    expect(readTrace('run.jsonl', text).records).toEqual([header, actor]);
  });

  test('whatever things are called in it', () => {
    const odd = { ...actor, actor: '__proto__', chart: 'constructor' };
    expect(readTrace('run.jsonl', textOf(header, odd)).records).toEqual([header, odd]);
  });
});

describe('what is no trace is refused', () => {
  const again = 'Record the run again with this version, or open it with the version that wrote it';

  test.each<[string, string, string]>([
    ['nothing', '', 'there is nothing in it'],
    ['words', 'hello\n', 'line 1 is no JSON'],
    ['a header that is cut off', '{"kind":"hea', 'line 1 is no JSON'],
    ['a JSON document', '{"format":"x"}', 'line 1 is no record of a trace'],
    ['null', 'null', 'line 1 is no record of a trace'],
    [
      'the format before this one',
      textOf({ ...header, format: 'tahoe-mutable-trace 1' }, actor),
      `its format is ‘tahoe-mutable-trace 1’; this version reads ‘tahoe-mutable-trace 2’. ${again}`,
    ],
    [
      'a trace without a header',
      textOf(actor),
      `it has no header, as traces older than ‘tahoe-mutable-trace 2’ have none. ${again}`,
    ],
    ['a broken line', `${textOf(header)}{"kind"\n${textOf(actor)}`, 'line 2 is no JSON'],
    ['a broken last line with its end', `${textOf(header)}{"kind"\n`, 'line 2 is no JSON'],
    ['two traces', textOf(header, header), 'line 2 is a second header: these are two traces'],
    [
      'a kind that nobody knows',
      textOf(header, { ...actor, kind: 'constructor' }),
      'line 2 is a record of an unknown kind, ‘constructor’',
    ],
    ['a list', textOf(header, [actor]), 'line 2 is no record of a trace'],
    [
      'an actor without a chart',
      textOf(header, { ...actor, chart: undefined }),
      'line 2: `chart` of this actor is wrong',
    ],
    [
      'a record without a time',
      textOf(header, { ...actor, at: 'noon' }),
      'line 2: `at` of this actor is wrong',
    ],
    [
      'a grid whose servers have no id',
      textOf(header, { kind: 'grid', ...stamps, grid: 'g', encoding: {}, servers: [{}] }),
      'line 2: `servers` of this grid is wrong',
    ],
  ])('%s', (_, text, problem) => {
    expect(problemWith(text)).toBe(`run.jsonl: ${problem}`);
  });
});
