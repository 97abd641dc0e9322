/**
 * @module watched-server: a server of which every call is recorded: what it is about, how many bytes
 * it takes, how it ends. Never the bytes.
 */
import { onAbort } from '../abort.ts';
import { fieldAt } from '../share/field-at.ts';
import { headerLengthMax } from '../share/header.ts';
import type {
  ByteRange,
  CallOptions,
  ReadableShares,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  StorageServer,
} from '../storage/server.ts';
import type { OperationRecorder } from './recorded.ts';
import { standsBehind } from './unwatched.ts';

/** `servers`, whose calls are recorded as those of `operation`, if there is somebody to record. */
export function watchedServers(
  servers: readonly StorageServer[],
  operation: OperationRecorder | undefined,
): readonly StorageServer[] {
  if (operation === undefined) return servers;
  return servers.map((server) => watchedServer(server, operation));
}

function watchedServer(server: StorageServer, operation: OperationRecorder): StorageServer {
  const { id, nickname, tubId, permutationSeed, isFar, immutable } = server;
  const watch = watching(server, operation);
  const heads = new Map<number, Uint8Array>();
  const watched: StorageServer = {
    ...{ id, nickname, tubId, permutationSeed, isFar },
    immutable: immutable && watchedShares(immutable, server, operation, new Map()),
    ...watchedShares(server, server, operation, heads),
    readTestWrite: (storageIndex, request, options) =>
      watch(
        { what: aboutOf(request), bytes: bytesToWrite(request), options },
        () => server.readTestWrite(storageIndex, request, options),
        (answer) => {
          keepHeads(heads, request.reads, answer);
          return bytesRead(answer);
        },
      ),
    addLease: (storageIndex, secrets, options) =>
      watch(
        { what: 'lease', bytes: 0, options },
        () => server.addLease(storageIndex, secrets, options),
        () => 0,
      ),
  };
  standsBehind(watched, server);
  return watched;
}

/** @param heads the first bytes of shares that were read, which tell what is where in them */
function watchedShares(
  shares: ReadableShares,
  { id }: StorageServer,
  operation: OperationRecorder,
  heads: Map<number, Uint8Array>,
): ReadableShares {
  const watch = watching({ id }, operation);
  const watched: ReadableShares = {
    listShares: (storageIndex, options) =>
      watch(
        { what: 'list', bytes: 0, options },
        () => shares.listShares(storageIndex, options),
        () => 0,
      ),
    readShare: (storageIndex, shnum, range, options) =>
      watch(
        { what: `read sh${shnum} ${fieldAt(heads.get(shnum), range.offset)}`, bytes: 0, options },
        () => shares.readShare(storageIndex, shnum, range, options),
        (bytes) => {
          if (range.offset === 0) heads.set(shnum, bytes.slice(0, headerLengthMax));
          return bytes.length;
        },
      ),
    adviseCorruptShare: (storageIndex, shnum, reason, options) => {
      operation.advised(id, shnum, reason);
      return shares.adviseCorruptShare(storageIndex, shnum, reason, options);
    },
  };
  standsBehind(watched, shares);
  return watched;
}

interface Sent {
  readonly what: string;
  readonly bytes: number;
  readonly options: CallOptions | undefined;
}

/** Records one call. @param bytesOf how many bytes an answer has */
function watching({ id }: Pick<StorageServer, 'id'>, operation: OperationRecorder) {
  return async <T>(
    { what, bytes, options }: Sent,
    call: () => Promise<T>,
    bytesOf: (answer: T) => number,
  ): Promise<T> => {
    const sent = operation.sent(id, what, bytes);
    const signal = options?.signal;
    const letGo = signal && onAbort(signal, () => sent.abandoned(signal.reason));
    try {
      const answer = await call();
      sent.delivered(bytesOf(answer));
      return answer;
    } catch (error) {
      sent.lost(error);
      throw error;
    } finally {
      letGo?.();
    }
  };
}

/** Of shares that are not written it is only tested that they are absent. */
function aboutOf({ shares }: ReadTestWriteRequest): string {
  if (shares.size === 0) return 'read all';
  const written = [...shares].filter(([, { parts }]) => parts.length > 0);
  return `write ${written.map(([shnum]) => `sh${shnum}`).join(' ')}`;
}

function bytesToWrite({ shares }: ReadTestWriteRequest): number {
  const parts = [...shares.values()].flatMap((share) => share.parts);
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function bytesRead({ reads }: ReadTestWriteAnswer): number {
  const all = [...reads.values()].flat();
  return all.reduce((sum, { length }) => sum + length, 0);
}

function keepHeads(
  heads: Map<number, Uint8Array>,
  ranges: readonly ByteRange[],
  { reads }: ReadTestWriteAnswer,
): void {
  const at = ranges.findIndex(({ offset }) => offset === 0);
  for (const [shnum, bytes] of reads) {
    const head = bytes[at];
    if (head !== undefined) heads.set(shnum, head.slice(0, headerLengthMax));
  }
}
