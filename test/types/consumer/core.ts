/**
 * The core as an embedder uses it, in Node or in a browser.
 */
import type {
  AnyTahoeMutableError,
  Bytes,
  Cap,
  Child,
  CreateOptions,
  DeepStats,
  Directory,
  Examined,
  Facts,
  FileStat,
  GridOptions,
  ImmutableFile,
  LeaseOutcome,
  Listing,
  Met,
  Modifier,
  MutableFile,
  OperationOptions,
  Place,
  Plaintext,
  Progress,
  RepairOutcome,
  Servermap,
  StorageServer,
  TahoeMutableError,
  Verification,
  VersionName,
  WriteFacts,
  WriteOutcome,
} from 'tahoe-mutable';
import {
  BadArgumentError,
  bestVersion,
  defaultEncoding,
  formatCap,
  Grid,
  isTahoeMutableError,
  MemoryServer,
  parseCap,
  StatsCounter,
  Tally,
  toReadCap,
  UncoordinatedWriteError,
  verdictOf,
} from 'tahoe-mutable';

const servers: StorageServer[] = ['a', 'b', 'c'].map((id) => new MemoryServer({ id }));
const options: GridOptions = {
  servers,
  encoding: { ...defaultEncoding, required: 1, happy: 2, total: 3 },
  deadlines: { queryMs: 1000 },
};

export async function files(signal: AbortSignal | undefined): Promise<Bytes> {
  using closed: Disposable = new Grid(options);
  void closed;
  await using grid = new Grid(options);
  const created: CreateOptions = { format: 'mdmf', contents: new Uint8Array(3) };
  const file: MutableFile = await grid.create(created);
  const phases: Progress['phase'][] = [];
  // An option may be given as undefined, also where `exactOptionalPropertyTypes` is set.
  const call: OperationOptions = {
    signal,
    onProgress: ({ phase, done, total }) => phases.push(done < total ? phase : 'writing'),
  };
  const written: WriteOutcome = await file.overwrite(new Uint8Array(9), {
    ...call,
    base: undefined,
  });
  const base: VersionName = written.version;
  await file.update(new Uint8Array(1), 2, { ...call, base });
  await file.append(new Uint8Array(1), call);
  const modifier: Modifier = (old, { attempt, seqnum }) =>
    attempt + seqnum > 99 ? undefined : old.subarray(1);
  const modified: WriteOutcome | undefined = await file.modify(modifier, { attempts: 3 });
  const places: readonly Place[] | undefined = modified?.placed;
  const stat: FileStat = await file.stat({ version: { seqnum: 1 } });
  const map: Servermap = await file.servermap({ mode: 'check' });
  const verification: Verification = await file.verify(call);
  const repair: RepairOutcome = await file.repair({ force: false });
  const leases: LeaseOutcome = await file.renewLeases();
  const { contents, version } = await file.readVersion({ offset: 0, length: 2 });
  const stream = (await file.streamVersion({ version })).contents;
  const { value: piece } = await stream.getReader().read();
  if (piece !== undefined) contents.set(piece.subarray(0, 1));
  console.log(places, stat, bestVersion(map), verification, repair, leases);
  return contents;
}

/** What reads give is taken by all that take no shared memory. */
export async function platform(file: MutableFile | ImmutableFile): Promise<unknown> {
  const bytes = await file.read();
  const buffer: ArrayBufferLike = bytes.buffer;
  return [
    new Blob([bytes]),
    new Response(bytes),
    new Response(file.stream()),
    await crypto.subtle.digest('SHA-256', bytes),
    buffer,
  ];
}

export async function directories(grid: Grid, cap: Cap | string): Promise<DeepStats> {
  const directory: Directory = await grid.createDirectory({ children: [] });
  const other = grid.openDirectory(cap);
  const { attempt, write } = await directory.add('a', other, {
    metadata: { note: 'me' },
    replace: 'only-files',
  });
  const children: Child[] = await directory.list();
  const listing: Listing = await directory.listing();
  await directory.addAll([{ name: 'b', child: children[0] ?? directory.readCap }]);
  await directory.rename('a', 'b');
  await directory.move('b', other);
  await directory.setMetadata('b', { n: 1 }, { onAttempt: (about) => console.log(about.seqnum) });
  await directory.unlink('b');
  const tally = new Tally();
  const counter = new StatsCounter();
  const examined: AsyncIterable<Examined> = grid.deepCheck(cap, { repair: true });
  for await (const { met, examination } of examined) tally.add(verdictOf(met, examination));
  const walk: AsyncIterable<Met> = grid.walk(cap);
  for await (const met of walk) counter.add(met);
  console.log(attempt, write, listing.size, formatCap(toReadCap(parseCap(directory.readCap))));
  return grid.deepStats(cap);
}

/** A `switch` over `code` narrows, facts and all, and knows every code there is. */
export function told(error: AnyTahoeMutableError): string {
  switch (error.code) {
    case 'UncoordinatedWriteError': {
      const facts: WriteFacts = error.facts;
      return facts.placed.map(({ server, shnum }) => `${shnum}@${server}`).join();
    }
    case 'VersionChangedError':
      return `${error.facts.expected.seqnum} ${error.facts.found?.size ?? 0}`;
    case 'NoSuchChildError':
      return error.facts.name;
    case 'NewerVersionSeenError':
      return error.facts.silent.join();
    default:
      return error.message;
  }
}

export function caught(error: unknown): Facts {
  if (error instanceof UncoordinatedWriteError) return { first: error.facts.surprises[0]?.found };
  if (error instanceof BadArgumentError) return { argument: error.facts.argument };
  if (isTahoeMutableError(error)) return { text: told(error) };
  return {};
}

/** Every one is the base class, with facts that are any. */
export const asBase = (error: AnyTahoeMutableError): TahoeMutableError => error;
// @ts-expect-error: there is no such code
export const unknownCode: AnyTahoeMutableError['code'] = 'NoSuchError';
// @ts-expect-error: it has other facts
export const unknownFact = (error: BadArgumentError) => error.facts.placed;

/** Contents of one's own. */
export const source: Plaintext = {
  size: 3,
  read: async (offset, length) => new Uint8Array(3).subarray(offset, offset + length),
};
