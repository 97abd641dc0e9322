/**
 * @module sweep: every state of the counted model, each decided by the shipped kernel.
 *
 * A state is one number: its digits, in the radix of the local states, say where each server
 * stands. Every delivery makes a digit larger, so that one pass over the numbers in ascending order
 * meets every state after all that lead to it. One bit per number suffices: whether the state was
 * reached and is not an end. No queue, no hash table, no second copy of the rule: `decide` of
 * `machines/update-kernel.ts` is called for every state that is reached.
 */
import type { Rule } from '../../machines/rules.ts';
import type { ServerStatus } from '../../machines/servermap.ts';
import { decide, type UpdateView } from '../../machines/update-kernel.ts';
import { isEnd, type LocalState, localStates } from './local-states.ts';

export interface Model {
  readonly servers: number;
  readonly required: number;
  readonly total: number;
  readonly sharesPerServer: 1 | 2;
  readonly rule: Rule;
}

export interface SweepResult {
  readonly states: number;
  /** Deliveries out of states that are not an end. */
  readonly transitions: number;
  readonly done: number;
  /** Done states in which a server's shares are being verified. */
  readonly violations: number;
  /** States that are not done and in which nothing can be delivered. */
  readonly deadlocks: number;
  /** A violation that takes the fewest deliveries; null without violations. */
  readonly nearest: number | null;
}

export interface Sweep {
  readonly model: Model;
  readonly result: SweepResult;
  readonly locals: readonly LocalState[];
  /** Whether a state was reached and is not an end. */
  readonly isOpen: (state: number) => boolean;
  /** The local state of each server. */
  readonly digitsOf: (state: number) => readonly number[];
  readonly stateOf: (digits: readonly number[]) => number;
}

/** States that fit: their numbers stay 31-bit integers, their bits below 256 MiB. */
const sizeMax = 2 ** 31 - 1;

/** Numbers between two calls of `onProgress`. */
const progressStep = 1 << 21;

/** Local states as the sweep's loops want them: plain arrays by digit. */
interface Tables {
  readonly locals: readonly LocalState[];
  readonly statuses: readonly ServerStatus[];
  readonly isGood: readonly number[];
  readonly isVerifying: readonly number[];
  readonly nextCount: readonly number[];
  /** How far below a digit its predecessors are. */
  readonly drops: readonly (readonly number[])[];
  /** Deliveries from `asked`, at least. */
  readonly depth: readonly number[];
}

function tablesOf({ sharesPerServer, rule }: Model, withUnasked: boolean): Tables {
  const locals = localStates(sharesPerServer, withUnasked);
  const digitOf = (name: string) => locals.findIndex((local) => local.name === name);
  const drops = locals.map((_, digit) =>
    locals.flatMap(({ next }, from) =>
      next.some(({ to }) => digitOf(to) === digit) ? [digit - from] : [],
    ),
  );
  const depth: number[] = [];
  locals.forEach((_, digit) => {
    const before = (drops[digit] as number[]).map((drop) => depth[digit - drop] as number);
    depth.push(before.length === 0 ? 0 : 1 + Math.min(...before));
  });
  return {
    locals,
    statuses: locals.map(({ seen }) => seen[rule]),
    isGood: locals.map(({ isKnownGood }) => Number(isKnownGood[rule])),
    isVerifying: locals.map((local) => Number(local.isVerifying)),
    nextCount: locals.map(({ next }) => next.length),
    drops,
    depth,
  };
}

/** A write-mode view that the sweep changes in place. */
type MutableView = { -readonly [Key in keyof UpdateView]: UpdateView[Key] };

/** Whether some open state leads to `state` by one delivery. */
function isReached(
  bits: Int32Array,
  state: number,
  digits: Uint8Array,
  places: readonly number[],
  drops: readonly (readonly number[])[],
): boolean {
  for (let i = 0; i < digits.length; i++) {
    const place = places[i] as number;
    const below = drops[digits[i] as number] as readonly number[];
    for (let j = 0; j < below.length; j++) {
      const before = state - (below[j] as number) * place;
      if (((bits[before >>> 5] as number) & (1 << (before & 31))) !== 0) return true;
    }
  }
  return false;
}

/**
 * Deliveries that lead to a state, at least. Among equals the one counts as nearest that reads best
 * from left to right: good servers first, then those in verification.
 */
function distanceOf(digits: Uint8Array, { depth, isGood, isVerifying }: Tables): number {
  const steps = digits.reduce((sum, digit) => sum + (depth[digit] as number), 0);
  const rank = (digit: number) => (isVerifying[digit] ? 1 : isGood[digit] ? 0 : 2);
  return digits.reduce((sum, digit) => sum * 3 + rank(digit), steps);
}

/** The number of `state` with its first `count` unasked servers asked. */
function afterAsking(
  state: number,
  count: number,
  seen: readonly ServerStatus[],
  places: readonly number[],
): number {
  let left = count;
  let after = state;
  for (let i = 0; i < seen.length && left > 0; i++) {
    if (seen[i] !== 'unasked') continue;
    after += places[i] as number;
    left--;
  }
  return after;
}

/**
 * @param onProgress is told how many numbers are done
 * @throws RangeError when there are more states than bits
 */
export function sweep(model: Model, onProgress?: (done: number, of: number) => void): Sweep {
  const { servers, required, total, rule } = model;
  const tables = tablesOf(model, servers > total + required);
  const { locals, statuses, isGood, isVerifying, nextCount, drops } = tables;
  const radix = locals.length;
  const size = radix ** servers;
  if (size > sizeMax) throw new RangeError(`${radix}^${servers} states are too many`);
  const places = Array.from({ length: servers }, (_, i) => radix ** i);
  const bits = new Int32Array(Math.ceil(size / 32));

  // The state under the loop below, kept in step with its number digit by digit.
  const digits = new Uint8Array(servers);
  const seen: ServerStatus[] = Array.from(digits, () => statuses[0] as ServerStatus);
  let good = 0;
  let verifying = 0;
  let deliveries = servers * (nextCount[0] as number);
  const view: MutableView = {
    mode: 'write',
    rule,
    required,
    total,
    statuses: seen,
    hasRecoverable: false,
    meetingSize: 1,
    isConfirmed: false,
    isContested: false,
    lacksPrivateKey: false,
  };

  const result: { -readonly [Key in keyof SweepResult]: SweepResult[Key] } = {
    states: 0,
    transitions: 0,
    done: 0,
    violations: 0,
    deadlocks: 0,
    nearest: null,
  };
  let nearest = Number.POSITIVE_INFINITY;
  bits[0] = 1;
  for (let state = 0; state < size; state++) {
    const word = state >>> 5;
    const bit = 1 << (state & 31);
    if (((bits[word] as number) & bit) !== 0 || isReached(bits, state, digits, places, drops)) {
      view.hasRecoverable = good >= required;
      const decision = decide(view);
      if (decision.kind === 'ask') {
        // Asking takes no delivery: the state at rest is the one after it, and further up.
        const after = afterAsking(state, decision.count, seen, places);
        bits[after >>> 5] = (bits[after >>> 5] as number) | (1 << (after & 31));
        bits[word] = (bits[word] as number) & ~bit;
      } else if (isEnd(decision, verifying > 0)) {
        bits[word] = (bits[word] as number) & ~bit;
        result.states++;
        result.done++;
        if (verifying > 0) {
          result.violations++;
          const distance = distanceOf(digits, tables);
          if (distance < nearest) result.nearest = state;
          nearest = Math.min(nearest, distance);
        }
      } else {
        bits[word] = (bits[word] as number) | bit;
        result.states++;
        result.transitions += deliveries;
        if (deliveries === 0) result.deadlocks++;
      }
    }
    // On to the next number: the lowest digit that can grow does, those below it start over.
    for (let i = 0; i < servers; i++) {
      const old = digits[i] as number;
      const digit = old + 1 === radix ? 0 : old + 1;
      digits[i] = digit;
      seen[i] = statuses[digit] as ServerStatus;
      good += (isGood[digit] as number) - (isGood[old] as number);
      verifying += (isVerifying[digit] as number) - (isVerifying[old] as number);
      deliveries += (nextCount[digit] as number) - (nextCount[old] as number);
      if (digit !== 0) break;
    }
    if ((state & (progressStep - 1)) === 0) onProgress?.(state, size);
  }
  onProgress?.(size, size);
  return {
    model,
    result,
    locals,
    isOpen: (state) => ((bits[state >>> 5] as number) & (1 << (state & 31))) !== 0,
    digitsOf: (state) => places.map((place) => Math.floor(state / place) % radix),
    stateOf: (all) => all.reduce((sum, digit, i) => sum + digit * (places[i] as number), 0),
  };
}
