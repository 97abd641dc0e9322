import { expect, test } from 'vitest';
import { internalFailure } from '../../machines/io.ts';
import { reasonOf } from '../../machines/reason.ts';
import { jsonOf, lineOf, systemProblem } from '../../src/cli/complaint.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import { toJson } from '../../src/runtime/trace.ts';

const refused = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
const mute = (more: object) => Object.assign(new Error(''), more);
/** What Node rejects with when a name has several addresses. */
const dualStack = Object.assign(new AggregateError([refused('::1:9'), refused('127.0.0.1:9')]), {
  code: 'ECONNREFUSED',
});

const circle = mute({});
circle.cause = circle;

const bothAddresses = 'connect ECONNREFUSED ::1:9; connect ECONNREFUSED 127.0.0.1:9';

/** Gathered `times` times over, and nothing else is said. */
const gathered = (times: number): unknown =>
  times === 0 ? new Error('deep') : new AggregateError([gathered(times - 1)]);
const caused = (times: number): unknown =>
  times === 0 ? new Error('deep') : mute({ cause: caused(times - 1) });

const reasons: readonly [string, unknown, string][] = [
  ['its message', new ServerUnavailableError('s1', 'is away'), 'server s1: is away'],
  ['its message, whatever its cause', new Error('no', { cause: new Error('secret') }), 'no'],
  ['its message without what surrounds it', new Error('\n no\n'), 'no'],
  ['what it gathered', dualStack, bothAddresses],
  ['what it gathered, once', new AggregateError([new Error('no'), new Error('no')]), 'no'],
  [
    'four of those that it gathered',
    new AggregateError([1, 2, 3, 4, 5].map((n) => new Error(`no ${n}`))),
    'no 1; no 2; no 3; no 4',
  ],
  ['what those it gathered gathered', new AggregateError([dualStack, undefined]), bothAddresses],
  ['what is gathered three times over', gathered(3), 'deep'],
  ['not what is gathered deeper', gathered(4), 'AggregateError'],
  ['what is caused three times over', caused(3), 'deep'],
  ['not what is caused deeper', caused(4), 'Error'],
  ['its message before those', new AggregateError([new Error('one')], 'all'), 'all'],
  ['its cause', mute({ cause: new Error('', { cause: 'no disk' }) }), 'no disk'],
  ['its code', mute({ code: 'EIO' }), 'EIO'],
  ['its name', new RangeError(' '), 'RangeError'],
  ['its name, when it causes itself', circle, 'Error'],
  ['text', ' no ', 'no'],
  ['a number', 7, '7'],
  ['a truth', false, 'false'],
  ['what looks like an error', { message: 'no' }, 'no'],
  ['nothing', undefined, 'undefined'],
  ['null', null, 'null'],
  ['blank text', '', 'no reason given'],
  ['a thing without words', {}, 'no reason given'],
  ['a function, whose name is no reason', function no() {}, 'no reason given'],
  ['gathered silence', { errors: [undefined, {}] }, 'no reason given'],
  ['a message that is no text', { message: 7, code: 8, name: 9 }, 'no reason given'],
  [
    'one that does not want to be asked',
    {
      get message() {
        throw new Error('no');
      },
    },
    'no reason given',
  ],
];

test.each(reasons)('the reason of a failure is %s', (_, problem, reason) => {
  expect(reasonOf(problem)).toBe(reason);
});

test.each([
  ['a failure inside a chart', (problem: unknown) => internalFailure(problem).detail],
  ['a line of the shell', lineOf],
  ['the JSON of the shell', (p: unknown) => (jsonOf(p) as { error: Error }).error.message],
  ['a refusal of the system', systemProblem],
  ['a trace', (problem: unknown) => (toJson(problem) as { message: string }).message],
])('%s says why, when a name has several addresses that all refuse', (_, textOf) => {
  expect(textOf(dualStack)).toBe(bothAddresses);
});
