/**
 * @module scenario-expect: what a scenario can say must be so.
 *
 *     expect w1 ok                        expect w1 UncoordinatedWriteError
 *     expect w1 running                   expect r1 reads v1+w1
 *     expect w1 map is collecting.verifying
 *     expect s4 sh2 v2                    expect s4 sh2 none, damaged, unreadable
 *     expect U1 violated                  expect U1 holds
 *     expect everything holds
 */
import { parseVersion } from './facts.ts';
import type { PropertyWatch } from './properties.ts';
import { chartWords } from './scenario-narrator.ts';
import type { TraceRecord, World } from './world.ts';

/** Why `text` (without `expect`) is not so; nothing when it is. */
export function expectation(world: World, watch: PropertyWatch, text: string): string | undefined {
  if (text === 'everything holds') {
    const [first] = watch.violations;
    return first && `${first.id} is violated: ${first.because}`;
  }
  const words = text.split(/ +/);
  const [subject = '', ...rest] = words;
  const property = watch.verdicts.get(subject);
  if (property !== undefined) {
    const isViolated = property.kind === 'violated';
    if (rest[0] === (isViolated ? 'violated' : 'holds')) return undefined;
    return isViolated ? `${subject} is violated: ${property.because}` : `${subject} holds`;
  }
  const server = world.servers.find(({ id }) => id === subject);
  if (server !== undefined) return expectShare(server.shares, rest);
  return expectOperation(world, subject, rest);
}

function expectShare(shares: Readonly<Record<number, string>>, [share = '', what = '']: string[]) {
  const held = shares[Number(share.slice(2))];
  const seqnum = held === undefined ? undefined : parseVersion(held)?.seqnum;
  const words = [held === undefined ? 'none' : (held.split(' ').at(-1) ?? ''), `v${seqnum}`];
  return words.includes(what) ? undefined : `${share} is ${held ?? 'none'}`;
}

function expectOperation(world: World, name: string, [verb = '', ...rest]: string[]) {
  const operation = world.operations.find(({ spec }) => spec.name === name);
  if (operation === undefined) return `${name} is no property, server or operation`;
  const { status, result } = operation;
  if (rest[0] === 'is') {
    const isIt = (record: TraceRecord) =>
      record.kind === 'step' &&
      record.actor.split('/').length === 2 &&
      record.actor.startsWith(`${name}/`) &&
      chartWords[record.chart] === verb;
    const state = world.trace.findLast(isIt);
    const found = state?.kind === 'step' ? state.state : 'nowhere';
    return found === rest[1] ? undefined : `${name} ${verb} is ${found}`;
  }
  if (verb === status && result === undefined) return undefined;
  if (result === undefined) return `${name} is ${status}`;
  if (!result.ok) return result.error === verb ? undefined : `${result.error}: ${result.message}`;
  if (verb === 'ok') return undefined;
  const seen = result.seen?.join('+') ?? 'nothing';
  return verb === 'reads' && seen === rest[0] ? undefined : `${name} is ok and saw ${seen}`;
}
