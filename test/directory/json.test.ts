import { expect, test } from 'vitest';
import { dumpJson, floatOf, parseJson, plainOf } from '../../src/directory/json.ts';

/** What `json.dumps(json.loads(text))` of Python 3.11 gives. */
test.each([
  ['{}', '{}'],
  [' { "a" : [ ] , "b":{ } } ', '{"a": [], "b": {}}'],
  ['{"b":1,"a":2,"1":3}', '{"b": 1, "a": 2, "1": 3}'],
  ['{"a":1,"b":2,"a":3}', '{"a": 3, "b": 2}'],
  ['[123456789012345678901234567890,-0,0,-7]', '[123456789012345678901234567890, 0, 0, -7]'],
  ['[1.0,1.50,-0.0,1E5,1e16,1e-5,0.0001]', '[1.0, 1.5, -0.0, 100000.0, 1e+16, 1e-05, 0.0001]'],
  ['[123456789012345680.0,1e22,5e-324]', '[1.2345678901234568e+17, 1e+22, 5e-324]'],
  ['[1700000200.0,1700000200.25]', '[1700000200.0, 1700000200.25]'],
  ['[NaN,Infinity,-Infinity]', '[NaN, Infinity, -Infinity]'],
  ['[null,true,false]', '[null, true, false]'],
  [
    String.raw`"\u00e9é\/\"\\\b\f\n\r\t\u0001\u007f😀\ud83d"`,
    String.raw`"\u00e9\u00e9/\"\\\b\f\n\r\t\u0001\u007f\ud83d\ude00\ud83d"`,
  ],
])('%s is written as Python would', (text, written) => {
  const parsed = parseJson(text);
  expect(parsed).not.toBe(undefined);
  expect(dumpJson(parsed!)).toBe(written);
  expect(dumpJson(parseJson(written)!)).toBe(written);
});

test.each([
  '',
  '{',
  '[',
  '"',
  '"\\',
  '"\\x"',
  '"\n"',
  '{a:1}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '[1,]',
  '[1 2]',
  '01',
  '1.',
  '.5',
  '+1',
  '-',
  '- 1',
  'nul',
  'true false',
  '{} {}',
  "'a'",
  '\ufeff{}',
  '\u00a01',
])('%j is no JSON', (text) => {
  expect(parseJson(text)).toBe(undefined);
});

test('a number beyond what a float holds keeps its text', () => {
  expect(dumpJson(parseJson('[1e400,-1E+999]')!)).toBe('[1e400, -1E+999]');
});

test('depth and digits have limits, and reaching them costs only what is there', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(dumpJson(parseJson(nested(200))!)).toBe(nested(200));
  for (const depth of [202, 1_000_000]) expect(parseJson(nested(depth))).toBe(undefined);
  expect(parseJson('['.repeat(1_000_000))).toBe(undefined);
  expect(parseJson('9'.repeat(4300))).not.toBe(undefined);
  expect(parseJson('9'.repeat(4301))).toBe(undefined);
  expect(parseJson('{"a":'.repeat(500_000))).toBe(undefined);
  expect(parseJson(`"${'\\"'.repeat(500_000)}`)).toBe(undefined);
});

test('a program gets plain values', () => {
  const value = plainOf(parseJson('{"a":[1,2.5,null,true,"é"],"__proto__":{"b":1e3}}')!);
  expect(JSON.stringify(value)).toBe('{"a":[1,2.5,null,true,"é"],"__proto__":{"b":1000}}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test('seconds are floats', () => {
  expect([1700000200, 1700000200.125, 0].map((seconds) => floatOf(seconds).text)).toEqual([
    '1700000200.0',
    '1700000200.125',
    '0.0',
  ]);
});
