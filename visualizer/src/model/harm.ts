/**
 * @module harm: what a run has left on the servers that nobody wanted, named where it lies, and
 * where two runs of one schedule have left different things.
 *
 * Harm is read off the servers and off who wrote what. It is no property: a stale share on a server
 * that was down is no fault of a protocol, and yet it is there.
 */
import type { ServerView, TraceRecord } from '../../../src/simulation/world.ts';

export type Servers = readonly Pick<ServerView, 'id' | 'shares'>[];

/** A version that an operation has put on a server. */
export interface Write {
  readonly operation: string;
  /** `v2-50ea7163` */
  readonly version: string;
  /** What it was made to hold; an edit names itself in it. */
  readonly words: readonly string[];
  /** Whether it was made of what was there, which should be in it still. */
  readonly isEdit: boolean;
  /** Where it went that held nothing, in this order: `s3 sh0`. */
  readonly added: string[];
  /** Whether its writer was told that it is written. */
  isAcknowledged: boolean;
  /** Whether its writer is through, or dead: it mends nothing any more. */
  isOver: boolean;
}

export interface Harm {
  readonly kind: 'second' | 'old' | 'rival' | 'lost';
  readonly server: string;
  readonly shnum: number;
  /** `second share 2` */
  readonly words: string;
  /** Whether nobody is at work on it: until then it may be but half of a move. */
  readonly isSettled: boolean;
}

/** Who has put which version on servers, in the order in which the first share of each landed. */
export function writesOf(records: readonly TraceRecord[]): readonly Write[] {
  const writes: Write[] = [];
  const intents = new Map<string, Pick<Write, 'words' | 'isEdit'>>();
  const lastOf = (name: string) => writes.filter(({ operation }) => operation === name).at(-1);
  for (const record of records) {
    if (record.kind === 'contents') {
      const { operation, seen, made } = record;
      intents.set(operation, { words: made, isEdit: seen !== null });
    } else if (record.kind === 'place' && record.operation !== null && record.after !== null) {
      const { operation, after } = record;
      const version = idOf(after);
      if (version === undefined) continue;
      let write = writes.find((known) => known.version === version);
      if (write === undefined) {
        const intent = intents.get(operation) ?? { words: [], isEdit: false };
        const state = { isAcknowledged: false, isOver: false };
        write = { operation, version, ...intent, added: [], ...state };
        writes.push(write);
      }
      if (record.before === null) write.added.push(placeName(record));
    } else if (record.kind === 'operation' && record.event !== 'started') {
      for (const write of writes) if (write.operation === record.operation) write.isOver = true;
      const write = lastOf(record.operation);
      if (write !== undefined && record.result?.ok) write.isAcknowledged = true;
    }
  }
  return writes;
}

interface Place {
  readonly server: string;
  readonly shnum: number;
  readonly version: string;
  readonly seqnum: number;
}

/** In the order of the servers, what is worst of each share first. */
export function harmsOf(servers: Servers, writes: readonly Write[]): readonly Harm[] {
  const places = placesOf(servers);
  const acknowledged = writes.filter(({ isAcknowledged }) => isAcknowledged);
  const isOpen = writes.some(({ isOver }) => !isOver);
  const newest = acknowledged.reduce((max, { version }) => Math.max(max, seqnumOf(version)), 0);
  return places.flatMap(({ server, shnum, version, seqnum }): Harm[] => {
    const at = { server, shnum, isSettled: !isOpen };
    const lost = lostIn(version, places, acknowledged);
    if (lost !== undefined) return [{ kind: 'lost', ...at, words: lost }];
    if (seqnum < newest) return [{ kind: 'old', ...at, words: `still version ${seqnum}` }];
    const isWritten = (version: string) => acknowledged.some((write) => write.version === version);
    const isRival = seqnum === newest && !isWritten(version);
    if (isRival) return [{ kind: 'rival', ...at, words: `another version ${seqnum}` }];
    const others = places.filter((p) => p.shnum === shnum && p.server !== server);
    const added = writes.find((write) => write.version === version)?.added ?? [];
    // Of two in the same version, the one that was added to the other.
    const order = added.indexOf(placeName({ server, shnum }));
    const isSecond = ({ version: own, seqnum: n, ...place }: Place) =>
      n < seqnum || (own === version && added.indexOf(placeName(place)) < order);
    return others.some(isSecond) ? [{ kind: 'second', ...at, words: `second share ${shnum}` }] : [];
  });
}

function placeName({ server, shnum }: Pick<Place, 'server' | 'shnum'>): string {
  return `${server} sh${shnum}`;
}

/** The acknowledged edit that this version should hold, and that is on no server any more. */
function lostIn(
  version: string,
  places: readonly Place[],
  acknowledged: readonly Write[],
): string | undefined {
  const write = acknowledged.find((w) => w.version === version);
  if (write === undefined || !write.isEdit) return undefined;
  const holds = ({ words }: Write, name: string) => words.includes(name);
  const isKept = (name: string) =>
    acknowledged.some((w) => holds(w, name) && places.some((p) => p.version === w.version));
  const gone = acknowledged.find(
    (w) => w.isEdit && seqnumOf(w.version) <= seqnumOf(version) && !isKept(w.operation),
  );
  if (gone === undefined) return undefined;
  return `holds ${write.operation}’s version; ${gone.operation}’s is gone`;
}

/** The servers on which two sides hold different things. Versions go by the names that are shown. */
export function differingServers(
  one: Servers,
  other: Servers,
  plain: (side: number, version: string) => string,
): ReadonlySet<string> {
  const gist = (side: number, shares: ServerView['shares']) =>
    JSON.stringify(Object.entries(shares).map(([n, version]) => [n, plain(side, version)]));
  const others = new Map(other.map(({ id, shares }) => [id, gist(1, shares)]));
  return new Set(one.flatMap(({ id, shares }) => (others.get(id) === gist(0, shares) ? [] : [id])));
}

function placesOf(servers: Servers): readonly Place[] {
  return servers.flatMap(({ id, shares }) =>
    Object.entries(shares).flatMap(([shnum, text]) => {
      const version = idOf(text);
      if (version === undefined) return [];
      return [{ server: id, shnum: Number(shnum), version, seqnum: seqnumOf(version) }];
    }),
  );
}

/** `v2-50ea7163` of `v2-50ea7163 damaged`; nothing of what cannot be read. */
function idOf(text: string): string | undefined {
  return /^v\d+-[0-9a-f]{8}/.exec(text)?.[0];
}

function seqnumOf(version: string): number {
  return Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
}
