/**
 * @module test-slot: short ways to say what a test does to one slot of a storage server. It runs in
 * browsers, too.
 */
import { expect } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ShareTest,
  ShareWrite,
  StorageServer,
  WritePart,
  WriteSecrets,
} from '../../src/storage/server.ts';

/** Any range that covers every share of these tests. */
export const EVERYTHING: ByteRange = { offset: 0, length: 100_000 };

/** The test that a share does not exist, as Tahoe's own client writes it. */
export const ABSENT: ShareTest = { offset: 0, length: 1, specimen: new Uint8Array(0) };

/** Browsers give no more at once. */
const RANDOM_MAX = 65_536;

/** `length` random bytes as a plain array. */
export function random(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_MAX) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + RANDOM_MAX));
  }
  return bytes;
}

export function randomSecrets(): WriteSecrets {
  return { writeEnabler: random(32), renewSecret: random(32), cancelSecret: random(32) };
}

/** Text or bytes that are to be written at an offset. */
export function part(offset: number, content: string | Uint8Array): WritePart {
  const bytes = typeof content === 'string' ? utf8(content) : content;
  return { offset, length: bytes.length, bytes: async () => bytes };
}

/** That the share holds `specimen` at `offset`. */
export function holds(offset: number, specimen: string): ShareTest {
  return { offset, length: specimen.length, specimen: utf8(specimen) };
}

/** A {@link ShareWrite} from what is worth saying of it. */
export function write(...details: readonly Partial<ShareWrite>[]): ShareWrite {
  return Object.assign({ tests: [], parts: [], newLength: null }, ...details);
}

/** A slot of which nobody has heard, with short ways to use it. */
export class TestSlot {
  readonly server: StorageServer;
  readonly storageIndex = random(16);
  readonly secrets = randomSecrets();

  constructor(server: StorageServer) {
    this.server = server;
  }

  /** One read-test-write; `reads` defaults to none. */
  send(
    shares: Readonly<Record<number, ShareWrite>>,
    reads: readonly ByteRange[] = [],
    options: { secrets?: WriteSecrets; signal?: AbortSignal } = {},
  ): Promise<ReadTestWriteAnswer> {
    const named = new Map(Object.entries(shares).map(([shnum, share]) => [Number(shnum), share]));
    const request = { secrets: options.secrets ?? this.secrets, shares: named, reads };
    return this.server.readTestWrite(this.storageIndex, request, { signal: options.signal });
  }

  /** Writes each text as a whole new share. */
  async hold(shares: Readonly<Record<number, string>>): Promise<void> {
    const writes = Object.entries(shares).map(([shnum, text]) => [
      shnum,
      write({ tests: [ABSENT], parts: text === '' ? [] : [part(0, text)] }),
    ]);
    expect((await this.send(Object.fromEntries(writes))).wrote).toBe(true);
  }

  /** All shares as text. */
  async contents(): Promise<Record<number, string>> {
    const shares: Record<number, string> = {};
    for (const shnum of await this.server.listShares(this.storageIndex)) {
      shares[shnum] = await this.text(shnum);
    }
    return shares;
  }

  async text(shnum: number, range = EVERYTHING): Promise<string> {
    return asText(await this.server.readShare(this.storageIndex, shnum, range));
  }
}

function asText(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

/** The reads of an answer as text. */
export function readTexts({ reads }: ReadTestWriteAnswer): Record<number, string[]> {
  return Object.fromEntries([...reads].map(([shnum, results]) => [shnum, results.map(asText)]));
}

/** Makes a slot of which nobody has heard, on the server under test. */
export type NewSlot = () => TestSlot;
