/**
 * @module liveness-walk: several writers at once, in random order and with faults, led by the
 * shipped kernels; and whether they leave a file behind that a newcomer may write to.
 *
 * Faults are far more frequent than in any grid, and nobody backs off. A look hears one server
 * after the other; a request may be lost, or land when its writer does not wait for it any more.
 */
import {
  apply,
  decide,
  type PublishRecord,
  type Request,
  start,
  type WriteReport,
} from '../../machines/publish-kernel.ts';
import { chooseBase, type Quorum } from '../../machines/quorum.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import type { Prng } from '../../src/simulation/prng.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';
import type { Size } from './liveness.ts';

export interface WalkModel extends Size {
  readonly writers: number;
  readonly attempts: number;
  /** Whether versions name their parents. */
  readonly doesName: boolean;
  /** Servers, the last ones that hold shares, that have missed the last two versions; 0 if unsaid. */
  readonly stale?: number;
}

export interface WalkEnd {
  /** Whether a newcomer whom every server answers finds nothing that it may build on. */
  readonly isStuck: boolean;
  /** How many writers were told that their version is written. */
  readonly acknowledged: number;
  /** Whether one of these versions is not in what a newcomer builds on. */
  readonly isLost: boolean;
}

/** By share number. */
type Row = ReadonlyMap<number, Version>;

interface Writer {
  attempt: number;
  /** By server; null: silent. */
  readonly heard: Map<number, Row | null>;
  /** Once it writes. */
  record: PublishRecord | null;
}

interface Stray {
  readonly request: Request;
  readonly version: Version;
}

/** Per step of a writer. */
const odds = { silent: 0.05, lost: 0.1, left: 0.02, stray: 0.2 };

export function walk(model: WalkModel, prng: Prng): WalkEnd {
  const world = new WalkWorld(model, prng);
  while (world.step());
  return world.end();
}

class WalkWorld {
  readonly #model: WalkModel;
  readonly #quorum: Quorum;
  readonly #prng: Prng;
  readonly #rows: Row[];
  readonly #writers: Writer[];
  #strays: readonly Stray[] = [];
  readonly #bases = new Map<Version, Version | null>();
  readonly #acknowledged: Version[] = [];

  constructor(model: WalkModel, prng: Prng) {
    const { servers, total, writers, stale = 0 } = model;
    this.#model = model;
    this.#quorum = { servers, size: model.quorum };
    this.#prng = prng;
    // What was there before them all has left every server, and so has what the stale ones lack.
    const old = this.#made(2, this.#made(1, null));
    const newest = stale === 0 ? old : this.#made(4, this.#made(3, old));
    const heldBy = (n: number) => (n < total - stale ? newest : old);
    this.#rows = Array.from(
      { length: servers },
      (_, n) => new Map(n < total ? [[n, heldBy(n)]] : []),
    );
    this.#writers = Array.from({ length: writers }, () => this.#looker(0));
  }

  #looker(attempt: number): Writer {
    return { attempt, heard: new Map(), record: null };
  }

  /** Its root hash, and so its place among rivals, is anything. */
  #made(seqnum: number, base: Version | null): Version {
    const { required, total, doesName } = this.#model;
    const letter = String.fromCharCode(0x20 * this.#prng.below(0x7ff) + this.#bases.size);
    const parent = doesName ? { parent: base } : {};
    const version = versionOf(seqnum, letter, { required, total, ...parent });
    this.#bases.set(version, base);
    return version;
  }

  /** Whether something is left to happen. */
  step(): boolean {
    const active = this.#writers.filter(({ attempt }) => attempt < this.#model.attempts);
    if (this.#strays.length > 0 && (active.length === 0 || this.#prng.chance(odds.stray))) {
      const stray = this.#prng.pick(this.#strays);
      this.#strays = this.#strays.filter((other) => other !== stray);
      if (this.#prng.chance(0.5)) this.#land(stray);
      return true;
    }
    if (active.length === 0) return false;
    const writer = this.#prng.pick(active);
    if (writer.record === null) this.#look(writer);
    else this.#write(writer, writer.record);
    return true;
  }

  #look(writer: Writer): void {
    const { heard } = writer;
    const unheard = this.#rows.flatMap((_, n) => (heard.has(n) ? [] : [n]));
    if (unheard.length === 0) {
      this.#plan(writer);
      return;
    }
    const at = this.#prng.pick(unheard);
    heard.set(at, this.#prng.chance(odds.silent) ? null : (this.#rows[at] as Row));
  }

  #plan(writer: Writer): void {
    const { required, total } = this.#model;
    const map = mapOfRows(this.#rows.map((_, n) => writer.heard.get(n) ?? null));
    const base = chooseBase(map, this.#quorum);
    if (base === undefined || base === null) {
      this.#again(writer);
      return;
    }
    const goal = { base, quorum: this.#quorum, required, total };
    const record = start({ map, ...goal, wholeShares: true, force: false });
    const version = this.#made(record.seqnum, base);
    if (decide(record).kind !== 'prepare') this.#again(writer);
    else this.#carryOn(writer, apply(record, { type: 'prepared', version }));
  }

  #carryOn(writer: Writer, record: PublishRecord): void {
    const next = decide(record);
    switch (next.kind) {
      case 'write':
        this.#carryOn(writer, apply(record, { type: 'sent', requests: next.requests }));
        return;
      case 'wait':
        writer.record = record;
        return;
      case 'published':
        this.#acknowledged.push(record.version as Version);
        writer.attempt = this.#model.attempts;
        return;
      default:
        this.#again(writer);
    }
  }

  #again(writer: Writer): void {
    Object.assign(writer, this.#looker(writer.attempt + 1));
  }

  #write(writer: Writer, record: PublishRecord): void {
    const flights = flightsOf(record);
    if (this.#prng.chance(odds.left)) {
      this.#strays = [...this.#strays, ...flights];
      this.#again(writer);
      return;
    }
    const flight = this.#prng.pick(flights);
    const { server } = flight.request;
    const report = { server, isReread: false, seen: [], proven: [], failure: null };
    if (this.#prng.chance(odds.lost)) {
      if (this.#prng.chance(0.5)) this.#land(flight);
      else this.#strays = [...this.#strays, flight];
      this.#carryOn(writer, apply(record, settled({ ...report, status: 'unknown' })));
      return;
    }
    const before = this.#rows[placeOf(server)] as Row;
    const status = this.#land(flight) ? 'accepted' : 'surprised';
    const proven = [...before].map(([shnum, version]) => ({ shnum, version }));
    const seen = proven.map(({ shnum, version: { checkstring } }) => ({ shnum, checkstring }));
    this.#carryOn(writer, apply(record, settled({ ...report, status, seen, proven })));
  }

  /** Whether the server holds what the request tests for; then it is done. */
  #land({ request, version }: Stray): boolean {
    const at = placeOf(request.server);
    const row = this.#rows[at] as Row;
    const isAsTested = request.tests.every((test, shnum) => {
      return (row.get(shnum)?.checkstring ?? '') === (test.kind === 'absent' ? '' : test.head);
    });
    if (isAsTested) {
      this.#rows[at] = new Map([...row, ...request.shnums.map((n) => [n, version] as const)]);
    }
    return isAsTested;
  }

  end(): WalkEnd {
    const base = chooseBase(mapOfRows(this.#rows), this.#quorum) ?? null;
    const newest = this.#acknowledged.reduce<Version | null>(
      (a, b) => (a === null || b.seqnum > a.seqnum ? b : a),
      null,
    );
    return {
      isStuck: base === null,
      acknowledged: this.#acknowledged.length,
      isLost: this.#acknowledged.some((version) => !this.#holds(base ?? newest, version)),
    };
  }

  /** Whether `newer` was built on `older`, in truth. */
  #holds(newer: Version | null, older: Version): boolean {
    for (let at = newer; at !== null; at = this.#bases.get(at) ?? null) {
      if (at === older) return true;
    }
    return false;
  }
}

function placeOf(server: string): number {
  return Number(server.slice(1));
}

function settled(report: WriteReport) {
  return { type: 'settled', report } as const;
}

/** The requests that are on their way. */
function flightsOf({ targets, total, version }: PublishRecord): readonly Stray[] {
  return targets.flatMap(({ server, status, held, shnums, attempt }) => {
    if (status !== 'writing') return [];
    const tests = Array.from({ length: total }, (_, n): Request['tests'][number] => {
      const head = held.find(({ shnum }) => shnum === n)?.head;
      return head === undefined ? { kind: 'absent' } : { kind: 'begins', head };
    });
    return [{ request: { server, shnums, tests, attempt }, version: version as Version }];
  });
}

function mapOfRows(rows: readonly (Row | null)[]): Servermap {
  const held = rows.flatMap((row, n) =>
    [...(row ?? [])].map(([shnum, version]) => ({ shnum, version, server: `s${n}` })),
  );
  const holdings = held.map(({ server, shnum, version }) => goodAt(server, shnum, version));
  const silent = rows.flatMap((row, n) => (row === null ? [[`s${n}`, 'failed'] as const] : []));
  const versions = new Set(held.map(({ version }) => version));
  return mapOf(rows.length, holdings, [...versions], Object.fromEntries(silent));
}
