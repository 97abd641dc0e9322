import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { readTrace, TraceReader } from '../../src/inspector/read-trace.ts';
import { runToEnd } from '../../src/simulation/run-to-end.ts';
import { type TraceRecord, World } from '../../src/simulation/world.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);

let records: readonly TraceRecord[];
let text: string;
beforeAll(async () => {
  const world = await World.create({
    servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }],
    operations: [
      { name: 'w1', task: { kind: 'modify' } },
      // Letters of more than one byte.
      { name: 'łöst', task: { kind: 'read' } },
    ],
  });
  for (const label of ['start w1', 'start łöst', 'rot s1 sh1 chain', 'cut w1 s2']) {
    await world.choose(label);
  }
  await runToEnd(world);
  records = world.trace;
  text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
});

const header = (format = 'tahoe-mutable-trace 2') =>
  `{"kind":"header","format":"${format}","about":{},"seq":0,"at":0,"step":0}\n`;
const clock = (more: string) => `{"kind":"clock","now":5,${more}}\n`;

describe('a whole trace', () => {
  test('comes back as it was written, also with the line ends of another system', () => {
    expect(readTrace(text)).toEqual({ kind: 'trace', records, note: null });
    const foreign = `\uFEFF${text.replaceAll('\n', '\r\n\r\n')}`;
    expect(readTrace(foreign)).toEqual({ kind: 'trace', records, note: null });
  });

  test('may lack the line feed at the end, and records that nobody keeps any more', () => {
    expect(readTrace(text.trimEnd())).toMatchObject({ records, note: null });
    const gap = header() + clock('"seq":7,"at":5,"step":0');
    expect(readTrace(gap)).toMatchObject({ kind: 'trace', note: null });
  });
});

test('a trace that is cut at any byte is read up to there, and the cut is told', () => {
  console.log(`cuts of traces: seed ${seed}`);
  const bytes = new TextEncoder().encode(text);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: bytes.length }), (length) => {
      const part = bytes.subarray(0, length);
      const begun = new TextDecoder().decode(part);
      const whole = begun.split('\n');
      const rest = whole.pop() as string;
      const isWhole = rest !== '' && text.includes(`${rest}\n`) && rest.endsWith('}');
      const kept = whole.length + (isWhole ? 1 : 0);
      const cut = `line ${whole.length + 1}, the last one, is cut off`;
      const note = rest !== '' && !isWhole ? cut : null;
      expect(readTrace(part)).toEqual({ kind: 'trace', records: records.slice(0, kept), note });
    }),
    { seed, numRuns: 60 },
  );
});

test('a trace in pieces, which may cut lines and letters, is the same trace', () => {
  console.log(`pieces of traces: seed ${seed}`);
  const bytes = new TextEncoder().encode(text);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const reader = new TraceReader();
      const ends = [...cuts.sort((a, b) => a - b), bytes.length];
      for (const [i, end] of ends.entries()) reader.add(bytes.subarray(ends[i - 1] ?? 0, end));
      expect(reader.end()).toEqual({ kind: 'trace', records, note: null });
    }),
    { seed, numRuns: 20 },
  );
});

test('behind what is wrong nothing is read, so that the first fault is told', () => {
  const reader = new TraceReader();
  expect(reader.add(new TextEncoder().encode(`${header()}nonsense\n`))).toBe(false);
  expect(reader.add(Uint8Array.of(0xff))).toBe(false);
  expect(reader.end()).toEqual({ kind: 'refused', problem: 'line 2: is no JSON' });
});

test.each([
  ['empty', new Uint8Array(), 'is empty'],
  ['only line feeds', utf8('\n\r\n'), 'is empty'],
  ['compressed', gzipSync(header()), 'is compressed (gzip)'],
  ['in UTF-16, as some editors save', Buffer.from(`\uFEFF${header()}`, 'utf16le'), 'is not UTF-8'],
  ['in UTF-16 without a mark', Buffer.from(header(), 'utf16le'), 'is not UTF-8'],
  ['in UTF-16, the other way round', Buffer.from(header(), 'utf16le').swap16(), 'is not UTF-8'],
  ['in Latin-1', Buffer.from(header('łö'), 'latin1'), 'is not UTF-8'],
])('a file is refused that is %s', (_, bytes, problem) => {
  expect(readTrace(bytes)).toEqual({ kind: 'refused', problem });
});

const refused: readonly (readonly [string, string, string])[] = [
  [
    'of the format before',
    header('tahoe-mutable-trace 1'),
    'line 1: the format is "tahoe-mutable-trace 1"; only "tahoe-mutable-trace 2" is read',
  ],
  [
    'of a format to come',
    header('tahoe-mutable-trace 3'),
    'line 1: the format is "tahoe-mutable-trace 3"; only "tahoe-mutable-trace 2" is read',
  ],
  [
    'a saved run',
    '{"format":"tahoe-mutable-run 1"}\n',
    'line 1: the format is "tahoe-mutable-run 1"; only "tahoe-mutable-trace 2" is read',
  ],
  [
    'of the time before headers',
    '{"kind":"actor","actor":"a","chart":"b","parent":null,"input":null,"seq":0,"at":0}\n',
    'line 1: there is no header, as in traces before "tahoe-mutable-trace 2", the only format that is read',
  ],
  ['something else', '{"hello":1}\n', 'line 1: is no header of a trace'],
  ['no JSON at all', 'hello', 'line 1: is no JSON'],
  ['a list', '[1]\n', 'line 1: is no header of a trace'],
  [
    'a line in the midst that is cut',
    `${header()}{"kind":\n${clock('"seq":1')}`,
    'line 2: is no JSON',
  ],
  ['what follows the last line', `${header()}nonsense`, 'line 2: is no JSON'],
  [
    'a kind that nobody knows',
    `${header()}{"kind":"__proto__","seq":1,"at":0,"step":0}\n`,
    'line 2: is no record: "__proto__" is no kind of one',
  ],
  ['no kind', `${header()}null\n`, 'line 2: is no record: it has no kind'],
  [
    'a record without its time',
    `${header()}${clock('"seq":1,"step":0')}`,
    'line 2: is no clock record: field at is not as it should be',
  ],
  [
    'a field of another type, deep inside',
    `${header()}{"kind":"step","actor":"a","chart":"c","event":"e","state":"s","context":null,"transitions":[{"source":"s","event":"e","index":0,"target":1}],"seq":1,"at":0,"step":0}\n`,
    'line 2: is no step record: field transitions is not as it should be',
  ],
  [
    'records out of order',
    `${header()}${clock('"seq":4,"at":0,"step":0')}\n${clock('"seq":4,"at":0,"step":0')}`,
    'line 4: its seq, 4, is not above 4, the one before',
  ],
];

test.each(refused)('refused: %s', (_, lines, problem) => {
  expect(readTrace(lines)).toEqual({ kind: 'refused', problem });
});
