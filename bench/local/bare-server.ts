/**
 * @module bare-server: a storage server without storage: what is written is produced and dropped, or
 * kept as it came; what is read are views. So what a publish or a read costs is this library's doing.
 */
import { NoSuchShareError } from '../../src/errors.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  StorageServer,
} from '../../src/storage/server.ts';

/** For one file. It trusts its client: tests of a write are not made. */
export class BareServer implements StorageServer {
  readonly id: string;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  readonly #keeps: boolean;
  readonly #shares = new Map<number, Uint8Array>();

  constructor(number: number, keeps: boolean) {
    this.id = `bare${number}`;
    this.nickname = this.id;
    this.tubId = new Uint8Array(20).fill(number);
    this.permutationSeed = new Uint8Array(32).fill(number);
    this.#keeps = keeps;
  }

  async listShares(): Promise<readonly number[]> {
    return [...this.#shares.keys()];
  }

  async readShare(_: Uint8Array, shnum: number, range: ByteRange): Promise<Uint8Array> {
    const share = this.#shares.get(shnum);
    if (share === undefined) throw new NoSuchShareError(this.id, shnum);
    return share.subarray(range.offset, range.offset + range.length);
  }

  async readTestWrite(
    _: Uint8Array,
    { shares, reads }: ReadTestWriteRequest,
  ): Promise<ReadTestWriteAnswer> {
    const seen = [...this.#shares].map(
      ([shnum, share]) =>
        [
          shnum,
          reads.map(({ offset, length }) => share.subarray(offset, offset + length)),
        ] as const,
    );
    for (const [shnum, { parts }] of shares) {
      const end = Math.max(0, ...parts.map(({ offset, length }) => offset + length));
      const share = this.#keeps ? (this.#shares.get(shnum) ?? new Uint8Array(end)) : undefined;
      for (const part of parts) {
        const bytes = await part.bytes();
        share?.set(bytes, part.offset);
      }
      if (share !== undefined && parts.length > 0) this.#shares.set(shnum, share);
    }
    return { wrote: true, reads: new Map(seen) };
  }

  async addLease(): Promise<boolean> {
    return true;
  }

  async adviseCorruptShare(): Promise<void> {}
}

export function bareServers(count: number, options: { readonly keep: boolean }): BareServer[] {
  return Array.from({ length: count }, (_, i) => new BareServer(i, options.keep));
}
