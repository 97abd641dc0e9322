/**
 * @module scenario-expect: what a scenario can say must be so.
 *
 *     expect w1 ok                        expect w1 UncoordinatedWriteError
 *     expect w1 running                   expect r1 reads v1+w1
 *     expect c1 healthy                   expect m1 finds v1+v2
 *     expect w1 map is collecting.verifying
 *     expect s4 sh2 v2                    expect s4 sh2 none, damaged, unreadable
 *     expect s4 sh2 reported 1            (so often was s4 told that it is corrupt)
 *     expect U1 violated                  expect U1 holds
 *     expect everything holds
 */
import type { Json } from '../runtime/trace.ts';
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
  if (server !== undefined) {
    const [share = '', verb, times] = rest;
    if (verb === 'reported') return expectReports(world, subject, share, Number(times));
    return expectShare(server.shares, rest);
  }
  return expectOperation(world, subject, rest);
}

function expectShare(shares: Readonly<Record<number, string>>, [share = '', what = '']: string[]) {
  const held = shares[Number(share.slice(2))];
  const seqnum = held === undefined ? undefined : parseVersion(held)?.seqnum;
  const words = [held === undefined ? 'none' : (held.split(' ').at(-1) ?? ''), `v${seqnum}`];
  return words.includes(what) ? undefined : `${share} is ${held ?? 'none'}`;
}

function expectReports(world: World, server: string, share: string, times: number) {
  const reports = world.trace.filter(
    (record) =>
      record.kind === 'advice' && record.server === server && `sh${record.shnum}` === share,
  );
  return reports.length === times ? undefined : `${share} is reported ${reports.length} times`;
}

function expectOperation(world: World, name: string, [verb = '', ...rest]: string[]) {
  const operation = world.operations.find(({ spec }) => spec.name === name);
  if (operation === undefined) return `${name} is no property, server or operation`;
  const { status, result } = operation;
  if (rest[0] === 'is') {
    const isIt = (record: TraceRecord) =>
      record.kind === 'step' &&
      !record.actor.includes(':') &&
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
  const said = verb === 'finds' ? rest[0] : verb;
  const found = foundBy(result.value);
  if (found !== undefined) return found === said ? undefined : `${name} is ok: ${found}`;
  const seen = result.seen?.join('+') ?? 'nothing';
  return verb === 'reads' && seen === rest[0] ? undefined : `${name} is ok and saw ${seen}`;
}

/** What a verification or a map came to: `healthy`, `unhealthy`, `v1+v2`. */
function foundBy(value: Json): string | undefined {
  const { isHealthy, versions } = (value ?? {}) as {
    isHealthy?: boolean;
    versions?: Readonly<Record<string, { seqnum: number }>>;
  };
  if (isHealthy !== undefined) return isHealthy ? 'healthy' : 'unhealthy';
  if (versions === undefined) return undefined;
  const seqnums = Object.values(versions).map(({ seqnum }) => seqnum);
  return seqnums
    .sort((x, y) => x - y)
    .map((seqnum) => `v${seqnum}`)
    .join('+');
}
