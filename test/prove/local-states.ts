/**
 * @module local-states: where one server can stand in the counted model, and what it can do next.
 *
 * The environment is open: a server that was asked may answer with shares, without, or not at all,
 * and every share may prove good or not. One run over all combinations is therefore one run over
 * all layouts, all outcomes and all orders of delivery at once.
 *
 * With two shares per server the two are judged one by one and in either order. A server's local
 * state then says more than the kernel is told: `seen` is what each rule's coordinator makes of it
 * (ours learns nothing before the whole answer is judged; the older ones after the first verdict).
 */
import type { Rule } from '../../machines/rules.ts';
import type { ServerStatus } from '../../machines/servermap.ts';
import type { UpdateDecision } from '../../machines/update-kernel.ts';

export interface LocalState {
  readonly name: string;
  /** For traces. */
  readonly letter: string;
  readonly seen: Readonly<Record<Rule, ServerStatus>>;
  /** Whether a share of it is known to be good, under each rule. */
  readonly isKnownGood: Readonly<Record<Rule, boolean>>;
  /** Whether one of its shares is not judged yet. */
  readonly isVerifying: boolean;
  /** One delivery each: what is said of it, and where it leads. */
  readonly next: readonly { readonly to: string; readonly told: string }[];
}

function alike<Value>(value: Value): Readonly<Record<Rule, Value>> {
  return { ours: value, fix2015: value, ticket: value };
}

function settled(name: 'good' | 'empty' | 'failed', letter: string): LocalState {
  const isGood = name === 'good';
  return {
    name,
    letter,
    seen: alike(name),
    isKnownGood: alike(isGood),
    isVerifying: false,
    next: [],
  };
}

const unasked: LocalState = {
  name: 'unasked',
  letter: '-',
  seen: alike('unasked'),
  isKnownGood: alike(false),
  isVerifying: false,
  next: [],
};

function askedThen(answered: string): LocalState {
  return {
    name: 'asked',
    letter: '?',
    seen: alike('asked'),
    isKnownGood: alike(false),
    isVerifying: false,
    next: [
      { to: answered, told: 'answers: it has shares' },
      { to: 'empty', told: 'answers: it has none' },
      { to: 'failed', told: 'fails' },
    ],
  };
}

function verifying(more: Partial<LocalState> & Pick<LocalState, 'name' | 'letter' | 'next'>) {
  const nothingKnown = { seen: alike('verifying' as const), isKnownGood: alike(false) };
  return { ...nothingKnown, isVerifying: true, ...more } satisfies LocalState;
}

const good = settled('good', 'G');
const empty = settled('empty', 'E');
const failed = settled('failed', 'F');

const oneShare: readonly LocalState[] = [
  askedThen('verifying'),
  verifying({
    name: 'verifying',
    letter: 'V',
    next: [
      { to: 'good', told: 'its share is good' },
      { to: 'failed', told: 'its share can not be verified' },
    ],
  }),
  good,
  empty,
  failed,
];

const twoShares: readonly LocalState[] = [
  askedThen('both verifying'),
  verifying({
    name: 'both verifying',
    letter: 'V',
    next: [
      { to: 'one good', told: 'one share is good' },
      { to: 'one bad', told: 'one share is bad' },
    ],
  }),
  verifying({
    name: 'one good',
    letter: 'g',
    // Tahoe marks the server with its first verified share.
    seen: { ours: 'verifying', fix2015: 'good', ticket: 'verifying' },
    isKnownGood: { ours: false, fix2015: true, ticket: true },
    next: [{ to: 'good', told: 'its other share is judged' }],
  }),
  verifying({
    name: 'one bad',
    letter: 'x',
    // Tahoe holds the whole server bad with its first bad share.
    seen: { ours: 'verifying', fix2015: 'corrupt', ticket: 'corrupt' },
    next: [
      { to: 'good', told: 'its other share is good' },
      { to: 'failed', told: 'its other share is bad, too' },
    ],
  }),
  good,
  empty,
  failed,
];

/**
 * Whether an update ends with this decision. A server with a share left to judge is an open query
 * also to a rule that has made up its mind about the server: nobody is `exhausted` before it.
 */
export function isEnd(decision: UpdateDecision, isVerifying: boolean): boolean {
  return decision.kind === 'done' && (decision.outcome === 'enough' || !isVerifying);
}

/** In an order in which every delivery leads to a later one. */
export function localStates(sharesPerServer: 1 | 2, withUnasked: boolean): readonly LocalState[] {
  const states = sharesPerServer === 1 ? oneShare : twoShares;
  return withUnasked ? [unasked, ...states] : states;
}
