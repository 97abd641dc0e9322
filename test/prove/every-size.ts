/**
 * @module every-size: the done rule for any number of servers.
 *
 * The walk of `machines/rules.ts` reads the servers from left to right and remembers little:
 * whether the boundary was passed, how many servers without shares it has seen, whether somebody
 * was open. Together with the number of known good shares (k is enough) and whether anything is
 * being verified, that is a finite automaton over words of local states, and its states do not
 * grow with the number of servers. A *bad word* is a row of servers that the kernel calls done
 * while something in it is being verified. If no state that can be reached is bad, no row of any
 * length is.
 *
 * The steps are `walkOn`'s and the verdict is `decide`'s, taken on a shortest word of each state.
 */
import { type Rule, type Walk, walkOn, walkStart } from '../../machines/rules.ts';
import { decide } from '../../machines/update-kernel.ts';
import { isEnd, type LocalState, localStates } from './local-states.ts';

export interface EverySize {
  readonly rule: Rule;
  readonly required: number;
  readonly sharesPerServer: 1 | 2;
  /** States of the automaton that some row of servers reaches. */
  readonly automatonStates: number;
  /** A shortest bad word; null when there is none, for any number of servers. */
  readonly badWord: string | null;
  /** A shortest bad word with somebody in verification left of the boundary; null likewise. */
  readonly badWordLeft: string | null;
  /** A shortest word that waits with nobody to wait for; null likewise. */
  readonly deadWord: string | null;
}

/** What the automaton remembers of a word. */
interface Memory {
  /** Null once the boundary is passed. */
  readonly walk: Walk | null;
  /** Whether somebody left of the boundary was open. */
  readonly isOpen: boolean;
  /** Known good shares, at most k. */
  readonly good: number;
  readonly isVerifying: boolean;
  readonly isVerifyingLeft: boolean;
  readonly isAsked: boolean;
}

const start: Memory = {
  walk: walkStart,
  isOpen: false,
  good: 0,
  isVerifying: false,
  isVerifyingLeft: false,
  isAsked: false,
};

/** The memory of a word with one more server; runs of empty servers stop at the boundary. */
export function remember(memory: Memory, local: LocalState, rule: Rule, required: number): Memory {
  const status = local.seen[rule];
  const walked = memory.walk && walkOn(memory.walk, status, rule);
  const isPast = walked === null || walked.emptyRun >= required;
  return {
    walk: isPast ? null : walked,
    isOpen: walked?.isOpen ?? memory.isOpen,
    good: Math.min(required, memory.good + Number(local.isKnownGood[rule])),
    isVerifying: memory.isVerifying || local.isVerifying,
    isVerifyingLeft: memory.isVerifyingLeft || (local.isVerifying && memory.walk !== null),
    isAsked: memory.isAsked || status === 'asked',
  };
}

function keyOf({ walk, ...rest }: Memory): string {
  return `${walk?.emptyRun} ${walk?.isOpen} ${Object.values(rest)}`;
}

/** The start of {@link remember}. */
export const emptyMemory = start;

/** What the shipped kernel makes of a row of servers, all of them asked. */
export function verdictOn(word: readonly LocalState[], rule: Rule, required: number): Verdict {
  const decision = decide({
    mode: 'write',
    rule,
    required,
    total: word.length,
    statuses: word.map(({ seen }) => seen[rule]),
    hasRecoverable: word.filter((local) => local.isKnownGood[rule]).length >= required,
    meetingSize: 1,
    isConfirmed: false,
    isContested: false,
    lacksPrivateKey: false,
  });
  const isVerifying = word.some((local) => local.isVerifying);
  return isEnd(decision, isVerifying) ? 'done' : 'wait';
}

export type Verdict = 'done' | 'wait';

/** Decides one rule and one k, for every number of servers. */
export function everySize(rule: Rule, required: number, sharesPerServer: 1 | 2): EverySize {
  const letters = localStates(sharesPerServer, false);
  const words: (readonly LocalState[])[] = [[]];
  const memories: Memory[] = [start];
  const seen = new Set([keyOf(start)]);
  for (let at = 0; at < memories.length; at++) {
    for (const local of letters) {
      const next = remember(memories[at] as Memory, local, rule, required);
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      memories.push(next);
      words.push([...(words[at] as readonly LocalState[]), local]);
    }
  }
  const verdicts = words.map((word) => verdictOn(word, rule, required));
  // Words come in order of length, and of letters: the first of its kind is a shortest one.
  const firstWhere = (isIt: (memory: Memory, verdict: Verdict) => boolean): string | null => {
    const at = memories.findIndex((memory, i) => isIt(memory, verdicts[i] as Verdict));
    return at < 0 ? null : (words[at] as readonly LocalState[]).map((l) => l.letter).join('');
  };
  return {
    rule,
    required,
    sharesPerServer,
    automatonStates: memories.length,
    badWord: firstWhere((memory, verdict) => verdict === 'done' && memory.isVerifying),
    badWordLeft: firstWhere((memory, verdict) => verdict === 'done' && memory.isVerifyingLeft),
    deadWord: firstWhere(
      (memory, verdict) => verdict === 'wait' && !memory.isVerifying && !memory.isAsked,
    ),
  };
}

/** `GGVEE` as `G^2 V E^2`. */
export function spelled(word: string): string {
  return [...word.matchAll(/(.)\1*/g)]
    .map(([run, letter]) => (run.length === 1 ? letter : `${letter}^${run.length}`))
    .join(' ');
}
