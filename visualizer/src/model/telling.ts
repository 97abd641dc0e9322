/**
 * @module telling: a step in a few plain words: what happened, and where that leaves a side. Made of
 * records alone, so that it is true of every run, also of one that nobody has thought of.
 */
import { shortState } from '../../../src/runtime/state-text.ts';
import { summaryOf } from '../../../src/runtime/summary-of.ts';
import type { TraceRecord } from '../../../src/simulation/world.ts';
import { chartWords, latest } from './culprit.ts';
import { discardOf, isAtWork } from './ending.ts';
import type { Harm } from './harm.ts';
import { isEnded, isManager, markAt, type TraceModel, type Track } from './trace-model.ts';

type Of<K extends TraceRecord['kind']> = Extract<TraceRecord, { kind: K }>;

/** One step of one side: its records are those from `from` on, before `to`. */
export interface StepOf {
  readonly model: TraceModel;
  readonly from: number;
  readonly to: number;
}

/** What happened; nothing when that is not a thing to tell. */
export function eventWords({ model, from, to }: StepOf): string | undefined {
  const records = model.records.slice(from, to);
  const of = <K extends TraceRecord['kind']>(kind: K) =>
    records.filter((record): record is TraceRecord & Of<K> => record.kind === kind);
  const [started] = of('operation').filter(({ event }) => event === 'started');
  if (started !== undefined) return startWords(started, of('message'));
  const [place] = of('place');
  if (place?.after != null) return placeWords(place);
  const messages = of('message');
  const delivered = messages.find(({ event }) => event === 'delivered');
  if (delivered !== undefined) return answerWords(model, delivered, to);
  for (const { event, server, what } of messages) {
    if (event === 'arrived') return `${server} has done “${what}”; its answer is on its way.`;
    if (event === 'dropped') return `“${what}” to ${server} is lost, and nobody is told.`;
    if (event === 'lost') return `The connection to ${server} breaks; “${what}” has no answer.`;
    if (event === 'delayed') return `“${what}” to ${server} takes its time.`;
  }
  const [server] = of('server');
  if (server !== undefined) return `${server.server}: ${server.event}.`;
  const [clock] = of('clock');
  return clock === undefined ? undefined : `Time passes: the clock shows ${clock.now / 1000} s.`;
}

function startWords({ operation, spec }: Of<'operation'>, messages: readonly Of<'message'>[]) {
  const { kind } = ((spec ?? {}) as { task?: { kind?: string } }).task ?? {};
  const asked = messages.filter(({ event }) => event === 'sent').map(({ server }) => server);
  const begins = `${operation} begins${kind === undefined ? '' : ` to ${kind}`}`;
  return asked.length === 0
    ? `${begins}.`
    : `${begins}: it asks ${few(asked)} which shares they hold.`;
}

function placeWords({ server, shnum, after, operation }: Of<'place'>): string {
  const version = /^v(\d+)/.exec(after ?? '')?.[1];
  const what = `share ${shnum} of version ${version ?? '?'}`;
  return operation === null
    ? `${server} holds ${what} now.`
    : `${operation} writes ${what} on ${server}.`;
}

/** By what the child has made of the answer. */
function answerWords(model: TraceModel, { operation, server, what }: Of<'message'>, to: number) {
  const own = [...model.tracks.values()].filter(
    ({ operation: whose, server: where, chart }) =>
      whose === operation && where === server && chart === 'serverQuery',
  );
  const child = latest(own, to);
  const mark = child && markAt(child, to);
  const query = mark && summaryOf(mark, 'serverQuery');
  if (query === undefined || mark === undefined) return `${server} answers “${what}”.`;
  const shares = few(query.shnums.map(String));
  const share = `share${query.shnums.length === 1 ? '' : 's'} ${shares}`;
  if (mark.state === 'empty') return `${server} answers: it holds no share.`;
  if (mark.state === 'good') return `${server}’s ${share} has come, and is good.`;
  if (mark.state === 'corrupt') return `${server}’s ${share} has come, and is corrupt.`;
  if (mark.state !== 'verifying') return `${server} answers “${what}”.`;
  return `${server} answers: it holds ${share}. Now it is read and verified.`;
}

/** Where the step leaves a side. */
export function standWords(step: StepOf, harms: readonly Harm[]): string {
  const { model, to } = step;
  const begun = model.coordinators.filter((track) => markAt(track, to) !== undefined);
  if (begun.length === 0) return 'Nothing has begun.';
  const { thrown, ended } = endings(step, begun);
  // What is decisive stands alone.
  const sentences = thrown.length > 0 ? [...thrown] : [...ended, ...running(model, begun, to)];
  const roots = model.roots.filter((root) => markAt(root, to) !== undefined);
  const isOver = roots.every((root) => isEnded(root, to));
  if (isOver && sentences.length === 0) sentences.push(`${few(model.operations)} is over.`);
  const left = harms.filter(({ isSettled }) => isSettled);
  if (left.length > 0) sentences.push(harmWords(left));
  else if (isOver) sentences.push('Nothing wrong is left on the servers.');
  return sentences.join(' ');
}

interface Endings {
  /** Of those that ended at somebody's cost. */
  readonly thrown: readonly string[];
  readonly ended: readonly string[];
}

/** What coordinators have ended in this step. */
function endings({ model, from, to }: StepOf, begun: readonly Track[]): Endings {
  const over = begun.filter(({ end }) => end !== null && end.position > from && end.position <= to);
  const stateOf = ({ marks }: Track) => shortState(marks.at(-1)?.state ?? '');
  const thrown = over.flatMap((track) => {
    const lost = track.children.filter((child) => discardOf(child, model, to)?.isThrownAway);
    if (lost.length === 0) return [];
    const whose = few(lost.map(({ server, key }) => server ?? key));
    return [
      `The ${chartWords(track.chart)} is ${stateOf(track)} while ${whose} is still being verified: ` +
        'what it holds is thrown away.',
    ];
  });
  const roots = over.filter(({ parent }) => parent === null);
  const ended =
    roots.length > 0
      ? roots.map((root) => `${root.operation} is over: ${stateOf(root)}.`)
      : over
          .filter((track) => !isManager(track))
          .map((track) => `The ${chartWords(track.chart)} is over: ${stateOf(track)}.`);
  return { thrown, ended };
}

/** What goes on, and for whom it waits. */
function running(model: TraceModel, begun: readonly Track[], to: number): readonly string[] {
  const open = begun.filter((track) => !isEnded(track, to) && !isManager(track));
  const track = latest(open, to);
  if (track === undefined) return [];
  const state = shortState(markAt(track, to)?.state ?? '');
  const waited = track.children
    .filter((child) => !isEnded(child, to) && isAtWork(markAt(child, to)?.state ?? 'good'))
    .map(({ server, key }) => server ?? key);
  const name = `${model.operations.length > 1 ? `${track.operation}’s` : 'The'} ${chartWords(track.chart)}`;
  const rest = waited.length === 0 ? '' : ` and waits for ${few([...new Set(waited)])}`;
  return [`${name} is in “${state}”${rest}.`];
}

/** `Harm is left: second share 2 on s2; still version 1 on s4.` */
function harmWords(harms: readonly Harm[]): string {
  const said = harms.slice(0, 3).map(({ server, words }) => `${words} on ${server}`);
  const more = harms.length > 3 ? `; and ${harms.length - 3} more` : '';
  return `Harm is left: ${said.join('; ')}${more}.`;
}

/** `s0, s1 and s4`; of many, how many. */
function few(names: readonly string[]): string {
  if (names.length > 5) return `${names.length} servers`;
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
