import { describe, expect, test } from 'vitest';
import type { Rule } from '../../machines/rules.ts';
import { decide } from '../../machines/update-kernel.ts';
import { chartEquality } from './chart-equality.ts';
import { counterexample, traceOf } from './counterexample.ts';
import {
  emptyMemory,
  everySize,
  remember,
  spelled,
  type Verdict,
  verdictOn,
} from './every-size.ts';
import { isEnd, type LocalState, localStates } from './local-states.ts';
import { rules } from './plan.ts';
import { type Model, sweep } from './sweep.ts';

function modelOf(
  servers: number,
  required: number,
  total: number,
  rule: Rule = 'ours',
  sharesPerServer: 1 | 2 = 1,
): Model {
  return { servers, required, total, sharesPerServer, rule };
}

/** The model once more, as plainly as it can be said: words in a queue, seen words in a set. */
function plainly({ servers, required, total, sharesPerServer, rule }: Model) {
  const locals = localStates(sharesPerServer, true);
  const local = (name: string) => locals.find((l) => l.name === name) as LocalState;
  const decisionOn = (word: readonly string[]) =>
    decide({
      mode: 'write',
      rule,
      required,
      total,
      statuses: word.map((name) => local(name).seen[rule]),
      hasRecoverable: word.filter((name) => local(name).isKnownGood[rule]).length >= required,
      meetingSize: 1,
      isConfirmed: false,
      isContested: false,
      lacksPrivateKey: false,
    });
  const atRest = (word: readonly string[]): readonly string[] => {
    const decision = decisionOn(word);
    if (decision.kind !== 'ask') return word;
    let left = decision.count;
    return atRest(word.map((name) => (name === 'unasked' && left-- > 0 ? 'asked' : name)));
  };
  const first = atRest(Array.from({ length: servers }, () => 'unasked'));
  const seen = new Map([[first.join(), first]]);
  const counts = { states: 0, transitions: 0, done: 0, violations: 0, deadlocks: 0 };
  for (const word of seen.values()) {
    counts.states++;
    const isVerifying = word.some((name) => local(name).isVerifying);
    if (isEnd(decisionOn(word), isVerifying)) {
      counts.done++;
      if (isVerifying) counts.violations++;
      continue;
    }
    const next = word.flatMap((name, i) => local(name).next.map(({ to }) => word.with(i, to)));
    counts.transitions += next.length;
    if (next.length === 0) counts.deadlocks++;
    for (const one of next.map(atRest)) seen.set(one.join(), seen.get(one.join()) ?? one);
  }
  return counts;
}

describe('the sweep', () => {
  test.each([
    ['ours', 15_616, 0, 246],
    ['fix2015', 15_610, 3, 249],
    ['ticket', 15_598, 9, 255],
  ] as const)('%s: 5 servers, 2-of-3: 3,125 states, %i transitions', (rule, ...expected) => {
    const [transitions, violations, done] = expected;
    expect(sweep(modelOf(5, 2, 3, rule)).result).toMatchObject({
      states: 3125,
      transitions,
      violations,
      done,
      deadlocks: 0,
    });
  });

  const sizes: readonly [number, number, number, 1 | 2][] = [
    [1, 1, 1, 1],
    [3, 1, 2, 1],
    [4, 3, 5, 1],
    [5, 1, 4, 1],
    // More servers than are asked at first.
    [4, 1, 1, 1],
    [6, 1, 2, 1],
    [6, 2, 3, 1],
    [3, 1, 2, 2],
    [4, 2, 2, 2],
    [4, 1, 1, 2],
  ];
  test.each(sizes)('%i servers, %i-of-%i, %i each: as if said plainly', (...size) => {
    const [servers, required, total, perServer] = size;
    for (const rule of rules) {
      const model = modelOf(servers, required, total, rule, perServer);
      expect({ rule, ...sweep(model).result }).toMatchObject({ rule, ...plainly(model) });
    }
  });

  test('takes what fits, and says what does not', () => {
    expect(() => sweep(modelOf(14, 3, 11))).toThrowError(
      new RangeError('5^14 states are too many'),
    );
  });

  test('tells how far it is', () => {
    const told: number[] = [];
    sweep(modelOf(2, 1, 1), (done, of) => told.push(done, of));
    expect(told).toEqual([0, 25, 25, 25]);
  });
});

describe('the shortest counterexample', () => {
  const storyOf = (model: Model) => {
    const found = sweep(model);
    return traceOf(found, counterexample(found) ?? []).split('\n');
  };

  test("of the ticket's rule: the delivery order of the ticket", () => {
    expect(storyOf(modelOf(5, 2, 3, 'ticket'))).toEqual([
      'rule ticket, 5 servers, 2-of-3: done after 7 deliveries, while s2 is being verified',
      '   1. s0 answers: it has shares  V????',
      '   2. s0 its share is good       G????',
      '   3. s1 answers: it has shares  GV???',
      '   4. s1 its share is good       GG???',
      '   5. s2 answers: it has shares  GGV??',
      '   6. s3 answers: it has none    GGVE?',
      '   7. s4 answers: it has none    GGVEE',
      '      (? asked, V verifying, G good, E empty, F failed)',
    ]);
  });

  test('of the rule of 2015: right of the boundary', () => {
    expect(storyOf(modelOf(5, 2, 3, 'fix2015')).slice(-3, -1)).toEqual([
      '   6. s4 answers: it has shares  GGE?V',
      '   7. s3 answers: it has none    GGEEV',
    ]);
  });

  test('of the rule of 2015 with two shares on a server: left of it', () => {
    expect(storyOf(modelOf(3, 1, 2, 'fix2015', 2)).slice(-3, -1)).toEqual([
      '   2. s0 one share is good       g??',
      '   3. s1 answers: it has none    gE?',
    ]);
  });

  test('also where servers are asked later', () => {
    const path = counterexample(sweep(modelOf(8, 2, 3, 'ticket'))) ?? [];
    expect(path.at(-1)?.word).toBe('GGVEE???');
    expect(path).toHaveLength(7);
  });

  test('of ours: none', () => {
    expect(counterexample(sweep(modelOf(5, 2, 3)))).toBeNull();
  });
});

describe('every number of servers', () => {
  test.each([
    ['ours', 1, null, null],
    ['fix2015', 1, 'G^2 E^2 V', null],
    ['ticket', 1, 'V G^2 E^2', 'V G^2 E^2'],
    ['ours', 2, null, null],
    ['fix2015', 2, 'g^2 E^2', 'g^2 E^2'],
    ['ticket', 2, 'g^2 E^2', 'g^2 E^2'],
  ] as const)('%s, %i each, k = 2: %s, left of the boundary %s', (rule, perServer, any, left) => {
    const found = everySize(rule, 2, perServer);
    const [badWord, badWordLeft] = [found.badWord, found.badWordLeft].map((w) => w && spelled(w));
    expect({ badWord, badWordLeft }).toEqual({ badWord: any, badWordLeft: left });
    expect(found.deadWord).toBeNull();
  });

  test('what the automaton remembers decides: equal memories, equal verdicts', () => {
    for (const perServer of [1, 2] as const) {
      const letters = localStates(perServer, false);
      for (const rule of rules) {
        for (const required of [1, 2]) {
          const verdicts = new Map<string, Verdict>();
          const grow = (word: readonly LocalState[], memory: typeof emptyMemory) => {
            const key = JSON.stringify(memory);
            const verdict = verdictOn(word, rule, required);
            if ((verdicts.get(key) ?? verdict) !== verdict) expect(key).toBe(verdict);
            verdicts.set(key, verdict);
            if (word.length === (perServer === 1 ? 6 : 5)) return;
            for (const local of letters) {
              grow([...word, local], remember(memory, local, rule, required));
            }
          };
          grow([], emptyMemory);
        }
      }
    }
  });

  test.each(rules)(
    '%s: the sweep finds a violation just where the automaton has a word',
    (rule) => {
      for (const required of [1, 2]) {
        const length = everySize(rule, required, 1).badWord?.length ?? Number.POSITIVE_INFINITY;
        for (let servers = 1; servers <= 6; servers++) {
          const { violations } = sweep(modelOf(servers, required, servers, rule)).result;
          expect(violations > 0).toBe(servers >= length);
        }
      }
    },
  );
});

describe('the XState chart', () => {
  test.each([
    [4, 2, 2, 'ours'],
    [5, 2, 3, 'ours'],
    [4, 1, 3, 'fix2015'],
    [4, 1, 3, 'ticket'],
  ] as const)('%i servers, %i-of-%i, %s: every state and step is the kernel’s', (...size) => {
    const [servers, required, total, rule] = size;
    const { states, transitions, done } = sweep(modelOf(servers, required, total, rule)).result;
    expect(chartEquality({ servers, required, total, rule })).toMatchObject({
      states,
      transitions,
      done,
    });
  });
});
