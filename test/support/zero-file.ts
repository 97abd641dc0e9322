/**
 * @module zero-file: versions of any size, rightly signed, whose shares take no room: every block
 * and every salt is zeros, and so a hash of a tree is known by its level alone.
 *
 * It is what a hostile writer can do with a sparse file. Segments are powers of two in number.
 */

import { primitives } from '#crypto';
import type { Format, WriteCap } from '../../src/caps.ts';
import { deriveDataKey, deriveReadkey } from '../../src/crypto/keys.ts';
import { blockLength, geometryOf } from '../../src/share/geometry.ts';
import { blockHash, buildHashTree, nodeCount } from '../../src/share/hashtree.ts';
import type { ShareHeader } from '../../src/share/header.ts';
import { sealVersion } from '../../src/share/seal.ts';
import type { ByteRange, StorageServer } from '../../src/storage/server.ts';
import { altered, memoryServers, testKey } from './client-grid.ts';
import { golden } from './shares.ts';

export interface ZeroFile {
  readonly header: ShareHeader;
  /** Bytes of a share, cut at its end. */
  read(shnum: number, range: ByteRange): Uint8Array;
  /** The plaintext of a segment. */
  segment(cap: WriteCap): Promise<Uint8Array>;
}

export interface ZeroOptions {
  readonly format: Format;
  readonly required: number;
  readonly total: number;
  readonly segmentSize: number;
  readonly segmentCount: number;
  /** Bytes that a share really has; by default all that it claims. */
  readonly length?: number;
}

export async function zeroFile(options: ZeroOptions): Promise<ZeroFile> {
  const { format, required, total, segmentSize, segmentCount } = options;
  const geometry = geometryOf(format, required, segmentSize * segmentCount, segmentSize);
  const salt = new Uint8Array(16);
  // What is too large to be hashed here must not be asked for at all.
  const block = new Uint8Array(Math.min(2 ** 24, blockLength(geometry, 0)));
  const levels = [blockHash(block, format === 'mdmf' ? salt : undefined)];
  for (let width = segmentCount; width > 1; width /= 2) {
    const below = levels[0] as Uint8Array;
    levels.unshift(buildHashTree([below, below])[0] as Uint8Array);
  }
  const { header, head, tail } = await sealVersion({
    geometry,
    seqnum: 7,
    salt: format === 'sdmf' ? salt : undefined,
    // Of each tree, sealing looks at the root; the rest is made when it is asked for.
    blockHashTrees: Array.from({ length: total }, () => levels[0] as Uint8Array),
    encryptedPrivateKey: golden.encryptedPrivateKey,
    verificationKey: testKey.spki,
    sign: (prefix) => testKey.sign(prefix),
  });
  const heads = await Promise.all(Array.from({ length: total }, (_, n) => head(n).bytes()));
  const privateKey = format === 'sdmf' ? await tail(0).bytes() : undefined;
  const { blockHashTree, encryptedPrivateKey } = header.layout;
  const end = options.length ?? header.layout.end;
  return {
    header,
    read(shnum, { offset, length }) {
      const out = new Uint8Array(Math.max(0, Math.min(length, end - offset)));
      overlay(out, offset, 0, heads[shnum] as Uint8Array);
      if (privateKey) overlay(out, offset, encryptedPrivateKey.offset, privateKey);
      const first = Math.max(0, Math.floor((offset - blockHashTree.offset) / 32));
      for (let node = first; node < nodeCount(segmentCount); node++) {
        const at = blockHashTree.offset + node * 32;
        if (at >= offset + out.length) break;
        overlay(out, offset, at, levels[Math.floor(Math.log2(node + 1))] as Uint8Array);
      }
      return out;
    },
    segment: (cap) =>
      primitives.aesCtr(
        deriveDataKey(salt, deriveReadkey(cap.writekey)),
        new Uint8Array(segmentSize),
      ),
  };
}

function overlay(out: Uint8Array, offset: number, at: number, bytes: Uint8Array): void {
  const from = Math.max(offset, at);
  const to = Math.min(offset + out.length, at + bytes.length);
  if (from < to) out.set(bytes.subarray(from - at, to - at), from - offset);
}

export interface ZeroRead extends ByteRange {
  readonly shnum: number;
}

/** A server per share, each of which notes what it is asked for. */
export function zeroServers(file: ZeroFile) {
  const reads: ZeroRead[] = [];
  const underWay: number[] = [];
  const peaks: number[][] = [];
  /** The most reads that were under way at once, of parts of shares from `offset` on. */
  const atOnce = {
    mostBeyond: (offset: number) =>
      Math.max(0, ...peaks.map((at) => at.filter((o) => o >= offset).length)),
  };
  const servers: StorageServer[] = memoryServers(file.header.total).map((server, shnum) =>
    altered(server, {
      listShares: async () => [shnum],
      readShare: async (_index, n, range) => {
        reads.push({ shnum: n, ...range });
        // Larger than any answer that a server could give.
        if (range.length > 2 ** 26) throw new Error(`a request of ${range.length} bytes`);
        underWay.push(range.offset);
        peaks.push([...underWay]);
        await new Promise((resolve) => setImmediate(resolve));
        underWay.splice(underWay.indexOf(range.offset), 1);
        return file.read(n, range);
      },
    }),
  );
  return { servers, reads, atOnce };
}

/** How often others had their turn while `work` was under way, beside waiting for servers. */
export async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const tick = () => {
    if (isOver) return;
    turns++;
    setImmediate(tick);
  };
  setImmediate(tick);
  await work.finally(() => {
    isOver = true;
  });
  return turns;
}
