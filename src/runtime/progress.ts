/**
 * @module progress: how far an operation is, counted where its bytes are and told from what its
 * charts emit. It decides nothing.
 *
 * Work is counted in bytes, each for what was done to it (docs/progress.md). What is ahead is as much
 * as is known: a step says how much it has before it when it begins, and what of that was not needed
 * when it ends. So `done` never falls within an attempt, and is `total` at the very end. What later
 * steps will have is ahead from the beginning, as well as it can be told: else a step that is alone
 * in being known looks like the end of all.
 */
import type { AnyActorRef } from 'xstate';
import type { ServerSettled, WriteSettled } from '../../machines/events.ts';
import type { VersionUnconfirmed } from '../../machines/read-file.machine.ts';
import type { ReadVersionContext } from '../../machines/read-version.machine.ts';
import type { PlannedRequest } from '../../machines/reports.ts';
import type { RetrieveContext } from '../../machines/retrieve.machine.ts';
import type { ServerId, Version } from '../../machines/servermap.ts';
import type { ServermapUpdateContext } from '../../machines/servermap-update.machine.ts';
import type { AttemptCollided } from '../../machines/write-file.machine.ts';
import type { WritePart } from '../storage/server.ts';
import { nameOf } from '../version-name.ts';
import type { Progress, WorkBytes } from './options.ts';

type Kind = keyof WorkBytes;
type Phase = Progress['phase'];

/** What one server counts for that is asked what it holds: the head of a share, which it is read. */
const heardBytes = 4000;

/** Is ahead of who will read what only a map can show. */
export const unknownSize = Number.POSITIVE_INFINITY;

/** How many times the work of a map the rest is taken for while it is not known: a bar that starts. */
const restOfMap = 19;

const nothing: WorkBytes = { spooled: 0, heard: 0, read: 0, encoded: 0, sent: 0, stored: 0 };

/** Bytes of a share beside its blocks, about: header, keys and signature of RSA-2048, hash chain. */
const besideBlocks = 2050;

/** k and N. */
type Shape = Pick<Version, 'required' | 'total'>;

/** What it takes to write a version of so many bytes of contents, with all that its shares hold. */
export function workOf(shape: Shape, size: number) {
  const ofShares = shape.total * shareLength(shape.required, size);
  return { encoded: size, sent: ofShares, stored: ofShares };
}

/** About: before there are any. The layout of a share is not loaded with a grid. */
function shareLength(required: number, size: number): number {
  return Math.ceil(size / required) + besideBlocks;
}

/** A request that is sent, or will be. */
interface OpenRequest {
  readonly bytes: number;
  sent: number;
}

export class ProgressTeller {
  readonly #tellCaller: (progress: Progress) => void;
  #phase: Phase = 'reading';
  #attempt = 1;
  #attempts = 1;
  /** What is known to be ahead when an attempt begins. */
  #atFirst: Partial<WorkBytes> = {};
  #done: Record<Kind, number> = { ...nothing };
  #ahead: Record<Kind, number> = { ...nothing };
  /** Bytes that all servers counted for when they were asked what they hold. */
  #everybody = 0;
  /** By server. */
  readonly #requests = new Map<ServerId, OpenRequest>();
  /** Children of charts, each of which talks to one server. */
  readonly #children = new Set<AnyActorRef>();
  /** Servers that no chart asks. */
  readonly #asked = new Set<ServerId>();
  #isOver = false;

  constructor(tell: (progress: Progress) => void) {
    this.#tellCaller = tell;
  }

  /**
   * How often an operation may try, and what every attempt has before it, as far as is known.
   * @param atFirst with `encoded`, even 0, if it writes what it reads
   */
  plan(attempts: number, atFirst: Partial<WorkBytes> = {}): void {
    this.#attempts = attempts;
    this.#atFirst = atFirst;
    this.#ahead = { ...nothing, ...atFirst };
  }

  /** An attempt begins, or begins again. @param attempt counts from 0 */
  opened(attempt: number): void {
    if (attempt + 1 === this.#attempt) return;
    this.#attempt = attempt + 1;
    this.#done = { ...nothing };
    this.#ahead = { ...nothing, ...this.#atFirst };
    this.#requests.clear();
  }

  /** Sees every actor of the operation as it is made. */
  readonly watch = (actor: AnyActorRef): void => {
    watchers[actor.id]?.(actor, this);
    if (/^(?:query|read|write):/.test(actor.id)) this.#waitFor(actor);
    if (actor.id.startsWith('write:')) this.#phase = 'writing';
  };

  #waitFor(actor: AnyActorRef): void {
    this.#children.add(actor);
    const letGo = () => {
      this.#children.delete(actor);
    };
    actor.subscribe({ complete: letGo, error: letGo });
  }

  /** A step begins, with so much before it; what an earlier one of the kind had is over. */
  begins(phase: Phase, kind: Kind, bytes: number): void {
    this.#phase = phase;
    this.#ahead[kind] = bytes;
    this.#tell();
  }

  /** Of what a step of the kind had before it, the rest is not needed. @param next has the next one */
  ends(kind: Kind, next = 0): void {
    this.#ahead[kind] = next;
  }

  /** So much of a step is done. */
  did(kind: Kind, bytes: number): void {
    this.#count(kind, bytes);
    this.#tell();
  }

  #count(kind: Kind, bytes: number): void {
    this.#done[kind] += bytes;
    this.#ahead[kind] = Math.max(0, this.#ahead[kind] - bytes);
  }

  /**
   * New contents are kept, so many bytes more: how many there will be nobody knows.
   * @param shape of the shares that they become
   */
  spools(bytes: number, shape: Shape): void {
    this.#phase = 'spooling';
    this.#ahead = { ...this.#ahead, ...workOf(shape, this.#ahead.encoded + bytes) };
    this.did('spooled', bytes);
  }

  /** Servers are asked for leases. */
  leases(servers: readonly ServerId[]): void {
    for (const server of servers) this.#asked.add(server);
    this.asks('leasing', servers.length);
  }

  /** So many servers are asked, or may be. */
  asks(phase: Phase, servers: number): void {
    const bytes = servers * heardBytes;
    this.#everybody = bytes;
    if (this.#ahead.read === unknownSize) this.#ahead.read = restOfMap * bytes;
    this.begins(phase, 'heard', bytes);
  }

  /**
   * Every block of so many shares of a version is read. A repair may have to place all of them, and
   * asks everybody again then: that is ahead until it is known to be less.
   * @returns bytes of the contents that are read after that, for the same reason
   */
  judges(shares: number, version: Version): number {
    const { required, dataLength } = version;
    const ofShare = Math.ceil(dataLength / required);
    const { encoded } = this.#atFirst;
    const again = encoded === undefined ? 0 : dataLength;
    if (encoded !== undefined) {
      this.#ahead.heard = this.#everybody;
      this.#writesAgain(version, encoded + dataLength);
    }
    this.begins('reading', 'read', shares * ofShare + again);
    return again;
  }

  /** Contents of a version are read. */
  reads(bytes: number, version: Version): void {
    const { encoded } = this.#atFirst;
    if (encoded !== undefined) this.#writesAgain(version, encoded + bytes);
    this.begins('reading', 'read', bytes);
  }

  /** What is read is written again, beside what is new. */
  #writesAgain(version: Version, size: number): void {
    this.#ahead = { ...this.#ahead, ...workOf(version, size) };
  }

  /** One has answered, or will not. */
  heard(server: ServerId): void {
    this.#letGo(server);
    this.did('heard', heardBytes);
  }

  /** It has said what it has to say; its child may still be there. */
  #letGo(server: ServerId): void {
    this.#asked.delete(server);
    for (const child of this.#children) {
      if (serverOf(child) === server) this.#children.delete(child);
    }
  }

  /**
   * A version is encoded, and what will be sent first is known.
   * @param size bytes that are encoded: all that there are, or what an update in place has to
   * @param required k
   */
  encodes(size: number, requests: readonly PlannedRequest[], required: number): void {
    const shareBytes = shareLength(required, size);
    for (const kind of ['read', 'sent', 'stored'] as const) this.ends(kind);
    this.#requests.clear();
    for (const { server, shnums } of requests) {
      this.#requests.set(server, { bytes: shnums.length * shareBytes, sent: 0 });
    }
    this.begins('encoding', 'encoded', size);
  }

  /** A request is made. @returns its parts by share, which are counted as the server takes them */
  requests<Shares extends readonly (readonly WritePart[])[]>(
    server: ServerId,
    shares: Shares,
  ): readonly (readonly WritePart[])[] {
    const bytes = shares.flat().reduce((sum, { length }) => sum + length, 0);
    const request: OpenRequest = { bytes, sent: 0 };
    this.#requests.set(server, request);
    return shares.map((parts) => parts.map((part) => this.#counted(server, request, part)));
  }

  /** A part that is asked for again counts once. */
  #counted(server: ServerId, request: OpenRequest, part: WritePart): WritePart {
    let isTaken = false;
    const bytes = async () => {
      const made = await part.bytes();
      if (!isTaken && this.#requests.get(server) === request) {
        request.sent += part.length;
        this.did('sent', part.length);
      }
      isTaken = true;
      return made;
    };
    return { offset: part.offset, length: part.length, bytes };
  }

  /** A request has come to its end. @param share of it that is stored: all or nothing */
  settled(server: ServerId, share: 0 | 1): void {
    this.#letGo(server);
    const { bytes = 0 } = this.#requests.get(server) ?? {};
    this.#requests.delete(server);
    this.did('stored', share * bytes);
  }

  /** What there is to say besides. */
  says(phase: Phase, more: Partial<Progress>): void {
    this.#phase = phase;
    this.#tell(more);
  }

  /** The last report: all that was needed is done. */
  succeeded(): void {
    this.#ahead = { ...nothing };
    this.#requests.clear();
    this.#tell({ total: this.#sum(this.#done) });
  }

  /** Nothing that comes after this is told. */
  stop(): void {
    this.#isOver = true;
  }

  #tell(more: Partial<Progress> = {}): void {
    if (this.#isOver) return;
    const [done, ahead] = [this.#sum(this.#done), this.#sum(this.#ahead)];
    const open = [...this.#requests.values()].map(({ bytes, sent }) => 2 * bytes - sent);
    const known = open.reduce((sum, bytes) => sum + bytes, done + ahead);
    this.#tellCaller({
      phase: this.#phase,
      done,
      total: Math.max(known, done + 1),
      bytes: { ...this.#done },
      attempt: this.#attempt,
      attempts: this.#attempts,
      waitingFor: [...new Set([...this.#asked, ...[...this.#children].map(serverOf)])],
      ...more,
    });
  }

  #sum({ spooled, heard, read, encoded, sent, stored }: WorkBytes): number {
    return spooled + heard + read + encoded + sent + stored;
  }
}

/** Of a child that talks to one. */
function serverOf(child: AnyActorRef): ServerId {
  return child.getSnapshot().context.server;
}

/** Tells what the actor knows when it has started. */
function onceStarted<Context>(actor: AnyActorRef, tell: (context: Context) => void): void {
  const { unsubscribe } = actor.subscribe(({ context }) => {
    unsubscribe();
    tell(context);
  });
}

/** By the id of an actor. */
const watchers: Readonly<Record<string, (actor: AnyActorRef, teller: ProgressTeller) => void>> = {
  servermapUpdate: (actor, teller) => {
    onceStarted<ServermapUpdateContext>(actor, ({ record }) =>
      teller.asks('mapping', record.servers.length),
    );
    actor.on('server.settled', (event) => teller.heard((event as ServerSettled).report.server));
    actor.subscribe({ complete: () => teller.ends('heard') });
  },
  readVersion: (actor, teller) => {
    onceStarted<ReadVersionContext>(actor, ({ record: { version, ranges } }) => {
      const bytes = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
      teller.reads(bytes, version);
    });
    actor.subscribe({ complete: () => teller.ends('read') });
  },
  retrieve: (actor, teller) => {
    onceStarted<RetrieveContext>(actor, ({ record: { purpose, sources }, version }) => {
      // What is read of a version is known to who reads it.
      if (purpose === 'read') return;
      const next = teller.judges(sources.length, version);
      actor.subscribe({ complete: () => teller.ends('read', next) });
    });
  },
  encodeAll: (actor, teller) => {
    onceStarted<RetrieveContext>(actor, ({ range }) =>
      teller.begins('reading', 'read', range.to - range.from),
    );
  },
  publish: (actor, teller) => {
    actor.on('write.settled', (event) => {
      const { server, status } = (event as WriteSettled).report;
      teller.settled(server, status === 'accepted' ? 1 : 0);
    });
  },
  writeFile: (actor, teller) => {
    actor.on('attempt.collided', (event) => {
      const { waitMs, standoff } = event as AttemptCollided;
      if (standoff === null) return teller.says('waiting', { waitMs });
      const { rivals, silent } = standoff;
      teller.says('waiting', { waitMs, standoff: { rivals: rivals.map(nameOf), silent } });
    });
  },
  readFile: (actor, teller) => {
    actor.on('version.unconfirmed', (event) => {
      const { seqnum, silent } = event as VersionUnconfirmed;
      teller.says('reading', { unconfirmed: { seqnum, silent } });
    });
  },
};
