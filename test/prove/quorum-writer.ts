/**
 * @module quorum-writer: one of several writers over a quorum, led by the shipped kernels.
 *
 * What a writer builds on is for `quorum.ts` to say, what it sends and how it ends for
 * `publish-kernel.ts`. Here is only what they are told: the rows of the servers that were heard,
 * and of each request that it landed, found something else, or was given up.
 *
 * A request is a row that is expected and a row that is put in its place, for it tests the whole
 * server. Writers are interned, and what each may come to is worked out once.
 */
import type { SeenShare } from '../../machines/io.ts';
import {
  apply,
  decide,
  type PublishRecord,
  type Request,
  start,
} from '../../machines/publish-kernel.ts';
import { chooseBase, chooseForReader, type Quorum } from '../../machines/quorum.ts';
import type { WriteReport } from '../../machines/reports.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';

export interface QuorumModel {
  /** S. */
  readonly servers: number;
  /** k. */
  readonly required: number;
  /** N; the shares of the first version are dealt to the servers in turn. */
  readonly total: number;
  /** How many of them have gone since, the last ones. */
  readonly lost?: number;
  /** W. */
  readonly size: number;
  readonly writers: number;
  /** How often each writer tries. */
  readonly attempts: number;
  /** Whose versions name their parents. */
  readonly parents: 'all' | 'some' | 'none';
}

/** A version of the file, as one character in the row of a server; `-` is no share. */
export type Mark = string;

interface Made {
  readonly name: string;
  readonly version: Version;
  readonly base: Mark | null;
}

/** On its way to a server: it lands if the server holds `from`. */
export interface Flight {
  readonly at: number;
  readonly from: string;
  readonly to: string;
}

export interface Writer {
  readonly index: number;
  /** Counts from 0. */
  readonly attempt: number;
  readonly phase: 'looking' | 'writing' | 'ended';
  /** The row of each server that was heard. */
  readonly heard: readonly (string | null)[];
  /** What had been acknowledged when the look began. */
  readonly acked: string | null;
  readonly mark: Mark | null;
  readonly record: PublishRecord | null;
}

/** Values by number: equal ones have one. */
export class Interned<T> {
  readonly items: T[] = [];
  readonly #ids = new Map<string, number>();

  idOf(key: string, item: T): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}

/** What a look that is over leads to. */
export interface Planned {
  /** The writer, about to write, or (without a base) at the end of its attempt. */
  readonly id: number;
  /** What it builds on, and what a reader would be given; null: nothing. */
  readonly base: Mark | null;
  readonly read: Mark | null;
  readonly told: string;
}

/** All writers that were met in one exploration, and what each may come to. */
export class QuorumCast {
  readonly model: QuorumModel;
  readonly quorum: Quorum;
  readonly #writers = new Interned<Writer>();
  readonly #made = new Interned<Made>();
  readonly #plans = new Map<number, Planned>();
  readonly #reports = new Map<string, number>();

  constructor(model: QuorumModel) {
    this.model = model;
    this.quorum = { servers: model.servers, size: model.size };
    this.markOf('o', 1, null, true);
  }

  writer(id: number): Writer {
    return this.#writers.items[id] as Writer;
  }

  /** Marks begin beyond the letters, so that none is taken for a name. */
  markOf(name: string, seqnum: number, base: Mark | null, isNaming: boolean): Mark {
    const { required, total } = this.model;
    const parent = base === null ? null : this.made(base).version;
    const version = versionOf(seqnum, name, { required, total, ...(isNaming && { parent }) });
    const id = this.#made.idOf(`${name}${seqnum}${base}`, { name, version, base });
    return String.fromCharCode(0x100 + id);
  }

  made(mark: Mark): Made {
    return this.#made.items[mark.charCodeAt(0) - 0x100] as Made;
  }

  /** Whether `newer` holds what `older` does, in truth. */
  isBuiltOn(newer: Mark | null, older: Mark): boolean {
    for (let at = newer; at !== null; at = this.made(at).base) if (at === older) return true;
    return false;
  }

  firstRows(): readonly string[] {
    const { servers, total, lost = 0 } = this.model;
    const first = String.fromCharCode(0x100);
    return Array.from({ length: servers }, (_, i) =>
      Array.from({ length: total }, (_, n) =>
        n % servers === i && n < total - lost ? first : '-',
      ).join(''),
    );
  }

  newWriter(index: number): number {
    return this.#idOf(this.#looker(index, 0));
  }

  #looker(index: number, attempt: number): Writer {
    const heard = Array.from({ length: this.model.servers }, () => null);
    return { index, attempt, phase: 'looking', heard, acked: null, mark: null, record: null };
  }

  nameOf({ index, attempt }: Pick<Writer, 'index' | 'attempt'>): string {
    return String.fromCharCode('aAαА'.charCodeAt(attempt) + index);
  }

  hears(id: number, at: number, row: string, acked: string): number {
    const writer = this.writer(id);
    const heard = writer.heard.with(at, row);
    return this.#idOf({ ...writer, heard, acked: writer.acked ?? acked });
  }

  /** The look of `id` is over. */
  planned(id: number): Planned {
    const known = this.#plans.get(id);
    if (known !== undefined) return known;
    const planned = this.#planned(this.writer(id));
    this.#plans.set(id, planned);
    return planned;
  }

  #planned(writer: Writer): Planned {
    const { required, total, parents } = this.model;
    const { quorum } = this;
    const map = this.mapOf(writer.heard);
    const read = this.#markIn(writer, chooseForReader(map, quorum));
    const base = chooseBase(map, quorum);
    const name = this.nameOf(writer);
    if (base === undefined || base === null) {
      const told = `${name} has nothing to build on`;
      return { id: this.given(writer), base: null, read, told };
    }
    const plan = { map, base, quorum, required, total, wholeShares: true, force: false };
    const record = start(plan);
    const mark = this.#markIn(writer, base) as Mark;
    if (decide(record).kind !== 'prepare') {
      return { id: this.given(writer), base: mark, read, told: `${name} can not succeed` };
    }
    const isNaming = parents === 'all' || (parents === 'some' && writer.index % 2 === 0);
    const made = this.markOf(name, record.seqnum, mark, isNaming);
    const prepared = apply(record, { type: 'prepared', version: this.made(made).version });
    const begun: Writer = {
      ...writer,
      phase: 'writing',
      acked: null,
      mark: made,
      record: prepared,
    };
    const told = `${name} writes over ${this.made(mark).name}`;
    return { id: this.#carriedOn(begun), base: mark, read, told };
  }

  #markIn({ heard }: Writer, version: Version | undefined): Mark | null {
    const marks = heard.flatMap((row) => [...(row ?? '')]);
    return marks.find((m) => m !== '-' && this.made(m).version.id === version?.id) ?? null;
  }

  /** The writer once all that may be sent is on its way; or at the end of its attempt. */
  #carriedOn(writer: Writer): number {
    const record = writer.record as PublishRecord;
    const next = decide(record);
    switch (next.kind) {
      case 'write':
        return this.#carriedOn({ ...writer, record: apply(record, { ...next, type: 'sent' }) });
      case 'prepare':
      case 'wait':
        return this.#idOf(writer);
      case 'published':
        return this.#idOf({ ...writer, phase: 'ended', record: null });
      default:
        return this.given(writer);
    }
  }

  /** The writer when its attempt is over: it tries again, or ends. */
  given(writer: Writer): number {
    const attempt = writer.attempt + 1;
    if (attempt < this.model.attempts) return this.#idOf(this.#looker(writer.index, attempt));
    const ended = { heard: [], acked: '', mark: null, record: null };
    return this.#idOf({ ...writer, ...ended, phase: 'ended' });
  }

  /** The requests of a writer that are on their way. */
  flightsOf(id: number): readonly Flight[] {
    const { record, mark } = this.writer(id);
    if (record === null || mark === null) return [];
    return record.targets.flatMap(({ server, status, held, shnums }) => {
      if (status !== 'writing') return [];
      const from = Array.from({ length: record.total }, (_, n) => {
        const head = held.find(({ shnum }) => shnum === n)?.head;
        return head === undefined ? '-' : this.#markOfHead(record, mark, head);
      });
      const to = from.map((m, n) => (shnums.includes(n) ? mark : m));
      return [{ at: Number(server.slice(1)), from: from.join(''), to: to.join('') }];
    });
  }

  #markOfHead({ versions }: PublishRecord, own: Mark, head: string): Mark {
    if (this.made(own).version.checkstring === head) return own;
    const version = Object.values(versions).find((one) => one.checkstring === head);
    const items = this.#made.items;
    // Of versions with one name that were built on different ones, a world has one.
    for (let at = items.length - 1; at >= 0; at--) {
      if (items[at]?.version === version) return String.fromCharCode(0x100 + at);
    }
    throw new Error(`no version begins with ${head}`);
  }

  /** The writer once the server `at` has answered its request: it held `row`. */
  answered(id: number, { at, from }: Flight, row: string): number {
    return this.#told(id, `${at}${row}`, () => ({
      server: `s${at}`,
      status: row === from ? 'accepted' : 'surprised',
      seen: this.#seen(row),
      proven: [...row].flatMap((mark, shnum) =>
        mark === '-' ? [] : [{ shnum, version: this.made(mark).version }],
      ),
      failure: null,
    }));
  }

  /** The writer once it has given up its request to the server `at`, which may yet land. */
  gaveUp(id: number, { at }: Flight): number {
    const none = { seen: [], proven: [], failure: null };
    return this.#told(id, `${at}?`, () => ({ server: `s${at}`, status: 'unknown', ...none }));
  }

  #told(id: number, what: string, report: () => WriteReport): number {
    const key = `${id},${what}`;
    const known = this.#reports.get(key);
    if (known !== undefined) return known;
    const writer = this.writer(id);
    const record = apply(writer.record as PublishRecord, { type: 'settled', report: report() });
    const next = this.#carriedOn({ ...writer, record });
    this.#reports.set(key, next);
    return next;
  }

  #seen(row: string): readonly SeenShare[] {
    return [...row].flatMap((mark, shnum) =>
      mark === '-' ? [] : [{ shnum, checkstring: this.made(mark).version.checkstring }],
    );
  }

  /** The map of somebody who heard these rows; the other servers did not answer. */
  mapOf(heard: readonly (string | null)[]): Servermap {
    const holdings = heard.flatMap((row, server) =>
      [...(row ?? '')].flatMap((mark, shnum) =>
        mark === '-' ? [] : [goodAt(`s${server}`, shnum, this.made(mark).version)],
      ),
    );
    const marks = new Set(heard.flatMap((row) => [...(row ?? '')]));
    marks.delete('-');
    const failed = heard.flatMap((row, i) => (row === null ? [[`s${i}`, 'failed']] : []));
    const versions = [...marks].map((mark) => this.made(mark).version);
    return mapOf(heard.length, holdings, versions, Object.fromEntries(failed));
  }

  #idOf(writer: Writer): number {
    return this.#writers.idOf(this.#keyOf(writer), writer);
  }

  /** Equal for two writers if the same can become of both. */
  #keyOf({ index, attempt, phase, heard, acked, mark, record }: Writer): string {
    const who = `${index}${attempt}`;
    if (phase === 'ended') return `${who}=`;
    if (phase === 'looking') return `${who}?${acked}|${heard.join()}`;
    const { targets, versions, surprises, isBaseSpare } = record as PublishRecord;
    const markOf = (head: string) => this.#markOfHead(record as PublishRecord, mark as Mark, head);
    const places = targets.map(({ status, held, shnums, placed, last, attempt: tried }) => {
      const rows = held.map(({ shnum, head }) => `${shnum}${markOf(head)}`).sort();
      return `${status[0]}${last?.[0] ?? ''}${tried}${rows.join('')}/${shnums}/${placed}`;
    });
    const known = Object.values(versions).map((v) => markOf(v.checkstring));
    return `${who}w${mark}${surprises.length > 0}${isBaseSpare}${places.join()}|${known.sort().join('')}`;
  }

  spelled(row: string): string {
    return [...row].map((mark) => (mark === '-' ? '-' : this.made(mark).name)).join('');
  }
}

export type { Request };
