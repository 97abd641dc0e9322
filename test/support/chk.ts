/**
 * @module chk: encodes immutable files, for tests: what Tahoe's uploader makes, byte for byte, and
 * what it never would.
 */
import { readFileSync } from 'node:fs';
import { primitives } from '#crypto';
import { divideUp } from '../../machines/limits.ts';
import { concatBytes, hexToBytes, netstring, u64, utf8, viewOf } from '../../src/bytes.ts';
import { taggedHash, tagOf } from '../../src/crypto/hash.ts';
import { createCodec } from '../../src/erasure/codec.ts';
import type { ChkCap } from '../../src/immutable/caps.ts';
import { blockHash, buildHashTree, neededHashes, nodeCount } from '../../src/share/hashtree.ts';

export interface ChkVector {
  readonly size: number;
  readonly k: number;
  readonly n: number;
  readonly max_segment_size: number;
  readonly layout: 1 | 2;
  readonly cap: string;
  readonly verify_cap: string;
  readonly key: string;
  readonly storage_index: string;
  readonly ueb: string;
  readonly ueb_hash: string;
  readonly offsets: Readonly<Record<string, number>>;
  readonly share_size: number;
  readonly share_sha256?: readonly string[];
  readonly sha256_of_share_sha256s?: string;
  readonly shares?: Readonly<Record<string, string>>;
  readonly frames?: Readonly<Record<string, { header: string; after_data: string }>>;
  readonly chain_nodes_as_stored?: Readonly<Record<string, readonly number[]>>;
}

export const chkVectors: {
  readonly lit: readonly { readonly contents: string; readonly cap: string }[];
  readonly cases: readonly ChkVector[];
} = JSON.parse(readFileSync(new URL('../vectors/chk.json', import.meta.url), 'utf8'));

/** The contents of every vector, of any size. */
export function chkContents(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8) * 17) & 255);
}

export interface ChkEncoding {
  readonly key?: Uint8Array;
  readonly required?: number;
  readonly total?: number;
  readonly segmentSizeMax?: number;
  readonly layout?: 1 | 2;
  /** The nodes of the chain of a share, in the order in which they are stored. */
  readonly chainOrder?: (shnum: number, nodes: readonly number[]) => readonly number[];
  /** What is said in the URI extension block instead of the truth, or besides. */
  readonly ueb?: Readonly<Record<string, Uint8Array | string | undefined>>;
  /** The blocks of one share for one segment, instead of the true ones. */
  readonly blockOf?: (shnum: number, segnum: number, block: Uint8Array) => Uint8Array;
}

export interface ChkFile {
  readonly cap: ChkCap;
  readonly shares: readonly Uint8Array[];
  readonly segmentSize: number;
}

const tag = (name: string) => tagOf(`allmydata_${name}_v1`);

/** A file and its shares. */
export async function encodeChk(contents: Uint8Array, options: ChkEncoding = {}): Promise<ChkFile> {
  const { key = new Uint8Array(16).fill(7), required = 3, total = 10, layout = 1 } = options;
  const { segmentSizeMax = 2 ** 20, blockOf = (_n, _s, block) => block } = options;
  const size = contents.length;
  const segmentSize = divideUp(Math.min(segmentSizeMax, size), required) * required;
  const crypttext = await primitives.aesCtr(key, contents);
  const codec = createCodec(required, total);
  const shnums = Array.from({ length: total }, (_, shnum) => shnum);
  const segments = Array.from({ length: divideUp(size, segmentSize) }, (_, i) =>
    crypttext.subarray(i * segmentSize, (i + 1) * segmentSize),
  );
  const blocks = segments.map((segment, segnum) => {
    const length = divideUp(segment.length, required);
    const padded = new Uint8Array(length * required);
    padded.set(segment);
    const primary = Array.from({ length: required }, (_, i) =>
      padded.subarray(i * length, (i + 1) * length),
    );
    const made = codec.encode(primary, shnums);
    return made.map((block, shnum) => blockOf(shnum, segnum, block));
  });
  const crypttextTree = buildHashTree(
    segments.map((segment) => taggedHash(tag('crypttext_segment'), segment)),
  );
  const blockTrees = shnums.map((shnum) =>
    buildHashTree(blocks.map((made) => blockHash(made[shnum] as Uint8Array))),
  );
  const shareTree = buildHashTree(blockTrees.map(([root]) => root as Uint8Array));
  const tail = segments.at(-1)?.length ?? 0;
  const ueb = packUeb({
    codec_name: 'crs',
    codec_params: `${segmentSize}-${required}-${total}`,
    crypttext_hash: taggedHash(tag('crypttext'), crypttext),
    crypttext_root_hash: crypttextTree[0],
    needed_shares: `${required}`,
    num_segments: `${segments.length}`,
    segment_size: `${segmentSize}`,
    share_root_hash: shareTree[0],
    size: `${size}`,
    tail_codec_params: `${divideUp(tail, required) * required}-${required}-${total}`,
    total_shares: `${total}`,
    ...options.ueb,
  });
  const shares = shnums.map((shnum) => {
    const leaf = (nodeCount(total) - 1) / 2 + shnum;
    const nodes = [...neededHashes(total, shnum), leaf].sort((a, b) => a - b);
    const chain = (options.chainOrder?.(shnum, nodes) ?? nodes).map((node) =>
      concatBytes(u16(node), shareTree[node] as Uint8Array),
    );
    return packShare(layout, {
      blockSize: segmentSize / required,
      data: concatBytes(...blocks.map((made) => made[shnum] as Uint8Array)),
      crypttextTree: concatBytes(...crypttextTree),
      blockTree: concatBytes(...(blockTrees[shnum] as Uint8Array[])),
      chain: concatBytes(...chain),
      ueb,
    });
  });
  const cap = { kind: 'chk', directory: false, key, required, total, size } as const;
  return { cap: { ...cap, uebHash: taggedHash(tag('uri_extension'), ueb) }, shares, segmentSize };
}

function packUeb(fields: Readonly<Record<string, Uint8Array | string | undefined>>): Uint8Array {
  const said = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return concatBytes(
    ...said.flatMap(([name, value]) => {
      if (value === undefined) return [];
      const bytes = typeof value === 'string' ? utf8(value) : value;
      return [utf8(`${name}:`), netstring(bytes)];
    }),
  );
}

interface ShareParts {
  readonly blockSize: number;
  readonly data: Uint8Array;
  readonly crypttextTree: Uint8Array;
  readonly blockTree: Uint8Array;
  readonly chain: Uint8Array;
  readonly ueb: Uint8Array;
}

function packShare(layout: 1 | 2, parts: ShareParts): Uint8Array {
  const { blockSize, data, crypttextTree, blockTree, chain, ueb } = parts;
  const number = layout === 1 ? u32 : u64;
  const sections = [data, new Uint8Array(crypttextTree.length), crypttextTree, blockTree, chain];
  let at = layout === 1 ? 36 : 68;
  const offsets = [at, ...sections.map(({ length }) => (at += length))];
  return concatBytes(
    u32(layout),
    number(blockSize),
    number(data.length),
    ...offsets.map(number),
    ...sections,
    number(ueb.length),
    ueb,
  );
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value);
  return bytes;
}

/** The file of a vector. */
export function fileOfVector(vector: ChkVector): Promise<ChkFile> {
  const { size, k, n, layout, key, max_segment_size, chain_nodes_as_stored } = vector;
  return encodeChk(chkContents(size), {
    key: hexToBytes(key),
    required: k,
    total: n,
    layout,
    segmentSizeMax: max_segment_size,
    chainOrder: (shnum, nodes) => chain_nodes_as_stored?.[shnum] ?? nodes,
  });
}
