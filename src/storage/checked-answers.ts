/**
 * @module checked-answers: a server whose answers have the form of one, or count as none.
 *
 * A server may be anybody's. What it says about shares is judged by signatures and hashes; here it
 * is only held to what was asked: share numbers that can be, no more bytes than wanted.
 */
import { isBytes } from '../bytes.ts';
import { AnswerLostError, ServerUnavailableError } from '../errors.ts';
import type {
  ByteRange,
  ReadableShares,
  ReadTestWriteAnswer,
  ServerId,
  StorageServer,
} from './server.ts';

/** Of one file on one server, as Tahoe's HTTP protocol has it, and as many as a file can have. */
const sharesMax = 256;

/**
 * `server`, which is unavailable when it answers nonsense; nonsense about a write leaves open, as a
 * lost answer does, whether it was written.
 */
export function withCheckedAnswers(server: StorageServer): StorageServer {
  const { id, nickname, tubId, permutationSeed, isFar, immutable } = server;
  return {
    id,
    nickname,
    tubId,
    permutationSeed,
    isFar,
    immutable: immutable && checkedShares(id, immutable),
    ...checkedShares(id, server),
    async readTestWrite(storageIndex, request, options) {
      const answer = await server.readTestWrite(storageIndex, request, options);
      const problem = problemOfWrite(answer, request.reads);
      if (problem === undefined) return answer;
      if (request.shares.size === 0) throw new ServerUnavailableError(id, problem);
      throw new AnswerLostError(id, problem);
    },
    async addLease(...args) {
      const isAnyThere = await server.addLease(...args);
      if (typeof isAnyThere === 'boolean') return isAnyThere;
      throw new ServerUnavailableError(id, 'nonsense: not whether any share is there');
    },
  };
}

function checkedShares(id: ServerId, shares: ReadableShares): ReadableShares {
  return {
    async listShares(storageIndex, options) {
      const given = await shares.listShares(storageIndex, options);
      const isList = Symbol.iterator in Object(given);
      const shnums = new Set(isList ? given : []);
      const problem = isList ? problemOfShnums(shnums) : 'nonsense: no list of shares';
      if (problem !== undefined) throw new ServerUnavailableError(id, problem);
      return [...shnums].sort((a, b) => a - b);
    },
    async readShare(storageIndex, shnum, range, options) {
      const bytes = await shares.readShare(storageIndex, shnum, range, options);
      const problem = problemOfBytes(bytes, range);
      if (problem !== undefined) throw new ServerUnavailableError(id, problem);
      return bytes;
    },
    adviseCorruptShare: (...args) => shares.adviseCorruptShare(...args),
  };
}

function problemOfShnums(shnums: ReadonlySet<number>): string | undefined {
  if (shnums.size > sharesMax) return `nonsense: it has ${shnums.size} shares`;
  for (const shnum of shnums) {
    if (!Number.isSafeInteger(shnum) || shnum < 0) return `nonsense: it has share ${shnum}`;
  }
  return undefined;
}

function problemOfBytes(bytes: Uint8Array, { length }: ByteRange): string | undefined {
  if (!isBytes(bytes)) return 'nonsense: no Uint8Array';
  return bytes.length > length
    ? `nonsense: ${bytes.length} bytes for a read of ${length}`
    : undefined;
}

function problemOfWrite(
  answer: ReadTestWriteAnswer,
  ranges: readonly ByteRange[],
): string | undefined {
  // What is no object has neither.
  const { wrote, reads }: Partial<ReadTestWriteAnswer> = Object(answer);
  if (typeof wrote !== 'boolean') return 'nonsense: not whether it wrote';
  if (!(reads instanceof Map)) return 'nonsense: no Map of what was read';
  const problem = problemOfShnums(new Set(reads.keys()));
  if (problem !== undefined) return problem;
  for (const results of reads.values()) {
    if (!Array.isArray(results) || results.length !== ranges.length) {
      return `nonsense: ${results?.length} answers to ${ranges.length} reads`;
    }
    for (const [i, range] of ranges.entries()) {
      const tooLong = problemOfBytes(results[i] as Uint8Array, range);
      if (tooLong !== undefined) return tooLong;
    }
  }
  return undefined;
}
