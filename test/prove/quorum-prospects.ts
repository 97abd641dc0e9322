/**
 * @module quorum-prospects: what there is at each server, and may land there yet, once nobody looks
 * any more.
 */
import type { PublishRecord } from '../../machines/publish-kernel.ts';
import type { QuorumCast } from './quorum-cast.ts';
import type { QuorumModel } from './quorum-model.ts';
import { type Flight, keyOf, type Mark, none, type Writer } from './quorum-parts.ts';
import type { Landing, World } from './quorum-step.ts';
import { marksIn } from './quorum-tokens.ts';

/** What is asked of the worlds that are looked at. */
export interface OpenWorlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  isBarred(row: number, mark: Mark): boolean;
  /** Where in a world the newest acknowledged version is. */
  readonly acked: number;
  straysOf(world: World): readonly Flight[];
  landingsOf(world: World): readonly Landing[];
}

/** A version of which more may be sent to a server, and what: bits of share numbers. */
export interface Sender {
  readonly mark: Mark;
  /** Where there is a free place for them. */
  readonly shnums: number;
}

/** What there is at a server, and may land. */
export interface Prospect {
  readonly row: number;
  /** That test for what is there now: what is overwritten never comes back. */
  readonly flights: readonly Flight[];
  /** Of those, ascending. */
  readonly kinds: readonly number[];
  /** By their marks, ascending. */
  readonly senders: readonly Sender[];
  /** The versions that are known to have been there. */
  readonly had: readonly Mark[];
}

/** What has been, as far as it still counts. */
export interface Past {
  readonly acked: Mark;
  readonly landings: readonly Landing[];
}

/** A world, but for which server is which: kernels look at how many there are, not at which. */
export interface Outset {
  readonly prospects: readonly Prospect[];
  readonly past: Past;
  /** A key of what there is and has been. */
  readonly now: string;
  /** A key of everything. */
  readonly key: string;
}

/** The last look of a writer, from which `mark` is to come. */
export interface Last {
  readonly index: number;
  readonly mark: Mark;
}

/**
 * Of each server; null: somebody looks, or is to look again. Of a last look there may be any plan for
 * its mark: it may be sent to every server.
 */
export function prospectsOf(
  worlds: OpenWorlds,
  world: World,
  look: Last | null = null,
): readonly Prospect[] | null {
  const left = writersLeft(worlds, world, look?.index ?? none);
  if (left === null) return null;
  const landings = worlds.landingsOf(world);
  return Array.from({ length: worlds.model.servers }, (_, at) =>
    prospectOf(worlds, world, { left, look }, landings, at),
  );
}

/**
 * Null: somebody looks, or is to look again.
 * @param look what comes of it: of the one who looks
 */
export function outsetOf(
  worlds: OpenWorlds,
  world: World,
  look: Last | null = null,
): Outset | null {
  const all = prospectsOf(worlds, world, look);
  if (all === null) return null;
  const landings = worlds.landingsOf(world);
  const servers = all.map((prospect, at) => {
    const landed = landings.reduce((bits, one, i) => bits | (((one.servers >> at) & 1) << i), 0);
    return { at, prospect, name: keyOf([prospect.row, landed]) + nameOf(prospect) };
  });
  servers.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  const order = servers.map(({ at }) => at);
  const prospects = servers.map(({ prospect }) => prospect);
  const past = {
    acked: world[worlds.acked] as Mark,
    landings: landings.map((landing) => inOrder(landing, order)),
  };
  const books = past.landings.flatMap((one) => [one.mark, one.servers, one.shnums]);
  const now = keyOf([...prospects.map(({ row }) => row), past.acked, ...books]);
  return { prospects, past, now, key: [now, ...servers.map(({ name }) => name)].join('\uffff') };
}

/** The landing when server number `order[i]` is called `i`. */
function inOrder(landing: Landing, order: readonly number[]): Landing {
  const servers = order.reduce((bits, at, i) => bits | (((landing.servers >> at) & 1) << i), 0);
  return { ...landing, servers };
}

/** Those who still write; null: somebody but `looker` looks, or anybody is to look again. */
function writersLeft(
  { cast, model }: OpenWorlds,
  world: World,
  looker: number,
): readonly Writer[] | null {
  const { servers, writers, readers, attempts } = model;
  if (readers > 0) return null;
  const left: Writer[] = [];
  for (let place = servers; place < servers + writers; place++) {
    const { writer } = cast.known(world[place] as number);
    if (writer.phase === 'looking' && place !== servers + looker) return null;
    if (writer.phase !== 'ended' && writer.attempt + 1 < attempts) return null;
    if (writer.phase === 'writing') left.push(writer);
  }
  return left;
}

function prospectOf(
  worlds: OpenWorlds,
  world: World,
  { left, look }: { readonly left: readonly Writer[]; readonly look: Last | null },
  landings: readonly Landing[],
  at: number,
): Prospect {
  const { cast, model } = worlds;
  const row = world[at] as number;
  const flights = [...worlds.straysOf(world)];
  for (let place = model.servers; place < model.servers + model.writers; place++) {
    flights.push(...cast.known(world[place] as number).flights);
  }
  const senders = left.flatMap(({ record, mark }): Sender[] => {
    const shnums = freeFor(record as PublishRecord, at);
    return shnums === null || worlds.isBarred(row, mark) ? [] : [{ mark, shnums }];
  });
  if (look !== null && !worlds.isBarred(row, look.mark)) {
    senders.push({ mark: look.mark, shnums: (1 << model.total) - 1 });
  }
  const landing = flights.filter((one) => one.at === at && cast.rowAfter(row, one) !== none);
  return {
    row,
    flights: landing,
    kinds: landing.map(({ kind }) => kind).sort(ascending),
    senders: senders.sort((a, b) => a.mark - b.mark),
    had: hadOn(worlds, world, landings, at),
  };
}

/**
 * The share numbers of which a server may be sent one that it has a free place for; null: it is
 * sent nothing. A number that is placed needs no other home; only where too few servers have any
 * does one that has none get a copy. A repair that spreads shares sends copies of placed ones, too.
 */
function freeFor({ targets, total, quorum, spread }: PublishRecord, at: number): number | null {
  const all = (1 << total) - 1;
  const target = targets[at];
  if (target === undefined || target.status === 'closed') return null;
  const placed = targets.map((one) => one.placed);
  const isSpread = placed.filter((numbers) => numbers.length > 0).length >= quorum.size;
  if (spread !== undefined || (!isSpread && target.placed.length === 0)) return all;
  return placed.flat().reduce((rest, n) => rest & ~(1 << n), all);
}

/** What there is, what is booked, and what writers have seen or won there. */
function hadOn(
  { cast, model }: OpenWorlds,
  world: World,
  landings: readonly Landing[],
  at: number,
): readonly Mark[] {
  const had = new Set(versionsOn(cast, world[at] as number));
  for (const { mark, servers } of landings) if ((servers & (1 << at)) !== 0) had.add(mark);
  for (let place = model.servers; place < model.servers + model.writers; place++) {
    const { writer, locals } = cast.known(world[place] as number);
    for (const mark of marksIn(locals[at] ?? [])) had.add(mark);
    for (const passed of writer.passed[at] ?? []) {
      for (const mark of versionsOn(cast, passed.row)) had.add(mark);
    }
    if ((writer.record?.targets[at]?.placed ?? []).length > 0) had.add(writer.mark);
  }
  return [...had].sort(ascending);
}

/** The versions on a server, each once. */
export function versionsOn(cast: QuorumCast, row: number): readonly Mark[] {
  const marks = cast.row(row).filter((mark) => mark !== none);
  return [...new Set(marks)].sort(ascending);
}

export function nameOf({ row, kinds, senders, had }: Prospect): string {
  const more = senders.flatMap(({ mark, shnums }) => [mark, shnums]);
  return keyOf([row, kinds.length, ...kinds, more.length, ...more, ...had]);
}

/** Whether at a server with the same row no more may land than `more` says. */
export function isWithin(it: Prospect, more: Prospect): boolean {
  return (
    areAmong(it.kinds, more.kinds) &&
    areAmong(it.had, more.had) &&
    areSent(it.senders, more.senders)
  );
}

/** What may land at a server of which either may come. */
export function joined(one: Prospect, other: Prospect): Prospect {
  const flights = [
    ...new Map([...one.flights, ...other.flights].map((it) => [it.kind, it])).values(),
  ];
  const shnums = new Map<Mark, number>();
  for (const sender of [...one.senders, ...other.senders]) {
    shnums.set(sender.mark, (shnums.get(sender.mark) ?? 0) | sender.shnums);
  }
  const senders = [...shnums].map(([mark, bits]): Sender => ({ mark, shnums: bits }));
  return {
    row: one.row,
    flights,
    kinds: flights.map(({ kind }) => kind).sort(ascending),
    senders: senders.sort((a, b) => a.mark - b.mark),
    had: [...new Set([...one.had, ...other.had])].sort(ascending),
  };
}

/** Of numbers that ascend. Asked most of all: without a function for each of them. */
function areAmong(those: readonly number[], all: readonly number[]): boolean {
  for (let i = 0, at = 0; i < those.length; i++) {
    const one = those[i] as number;
    while (at < all.length && (all[at] as number) < one) at++;
    if (all[at] !== one) return false;
  }
  return true;
}

function areSent(those: readonly Sender[], all: readonly Sender[]): boolean {
  for (let i = 0, at = 0; i < those.length; i++) {
    const { mark, shnums } = those[i] as Sender;
    while (at < all.length && (all[at] as Sender).mark < mark) at++;
    const more = all[at];
    if (more?.mark !== mark || (shnums & ~more.shnums) !== 0) return false;
  }
  return true;
}

function ascending(a: number, b: number): number {
  return a - b;
}
