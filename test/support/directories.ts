/**
 * @module directories: directories made by Tahoe, as `test/vectors/directories.json` tells of them.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, vi } from 'vitest';
import { primitives } from '#crypto';
import { hexToBytes } from '../../src/bytes.ts';
import { parseCap, type WriteCap } from '../../src/caps.ts';
import type { SigningKey } from '../../src/crypto/primitives.ts';
import { type Child, linkable } from '../../src/directory/child.ts';
import type { Addition } from '../../src/directory/edits.ts';
import { type Metadata, metadataFrom } from '../../src/directory/metadata.ts';
import type { Writer } from '../../src/directory/rw-field.ts';

/** `[type, { rw_uri, ro_uri, metadata, … }]` of the gateway. */
export type GatewayChild = readonly [string, Readonly<Record<string, unknown>>];
export type GatewayChildren = Readonly<Record<string, GatewayChild>>;
/** What the gateway answers to `GET ?t=json`. */
export type GatewayListing = readonly [
  'dirnode',
  { readonly children: GatewayChildren } & Readonly<Record<string, unknown>>,
];

export interface DirectoryCase {
  readonly name: string;
  /** Its place in `ssk-caps.json`; an immutable directory has none. */
  readonly key?: number;
  readonly cap: string;
  readonly read_cap: string;
  readonly verify_cap: string | null;
  readonly inner_cap: string;
  readonly children?: GatewayChildren | string;
  readonly contents: string;
  readonly json?: GatewayListing;
  readonly json_read_only?: GatewayListing;
  readonly rows?: readonly { readonly what: string; readonly entry: string }[];
  readonly after_adding_new?: { readonly now: number; readonly contents: string };
}

export interface EditStep {
  readonly step: string;
  readonly now: number;
  readonly request: readonly [method: string, dir: string, query: string, body: string];
  readonly status: number;
  readonly contents: string;
  readonly contents_dir2: string;
}

const bytesIn = (name: string) => readFileSync(new URL(`../vectors/${name}`, import.meta.url));
const jsonIn = (name: string) => JSON.parse(bytesIn(name).toString());

export const directoryVectors: {
  readonly cases: readonly DirectoryCase[];
  readonly edits: {
    readonly dir: string;
    readonly key: number;
    readonly dir2: string;
    readonly key2: number;
    readonly steps: readonly EditStep[];
    readonly old_ctime: { readonly dir: string; readonly key: number; readonly contents: string };
  };
  readonly unreadable: readonly { readonly what: string; readonly contents: string }[];
  readonly rw_cap_fields: readonly Readonly<
    Record<'writekey' | 'rw_cap' | 'salt' | 'key' | 'field', string>
  >[];
} = jsonIn('directories.json');

/** The directory of 300 children. */
export const dir300 = {
  contents: new Uint8Array(bytesIn('dir-300.contents')),
  listing: JSON.parse(gunzipSync(bytesIn('dir-300.json.gz')).toString()) as GatewayListing,
};

/** `private_key_pkcs8_der_base64` and `write_cap` of each key that the vectors are made with. */
export const vectorKeys: readonly {
  readonly private_key_pkcs8_der_base64: string;
  readonly write_cap: string;
}[] = jsonIn('ssk-caps.json').cases;

/** A key of `ssk-caps.json`. */
export function vectorKey(index: number): Promise<SigningKey> {
  const pkcs8 = Buffer.from(vectorKeys[index]!.private_key_pkcs8_der_base64, 'base64');
  return primitives.importSigningKey(new Uint8Array(pkcs8));
}

/**
 * In the tests of one file, new files get the keys of the vectors, each one once: to make one takes
 * some tenths of a second.
 */
export function useVectorKeys(): void {
  beforeAll(() => {
    let next = 0;
    const keys = vi.spyOn(primitives, 'generateKey').mockImplementation(() => vectorKey(next++));
    return () => keys.mockRestore();
  });
}

export function directoryCase(name: string): DirectoryCase {
  const found = directoryVectors.cases.find((c) => c.name === name);
  if (found === undefined) throw new Error(`no directory "${name}"`);
  return found;
}

export function contentsOf({ name, contents }: Pick<DirectoryCase, 'name' | 'contents'>) {
  return name === '300 children' ? dir300.contents : hexToBytes(contents);
}

export function writerOf(cap: string): Writer {
  return { writekey: (parseCap(cap) as WriteCap).writekey, aesCtr: primitives.aesCtr };
}

/** What the gateway would answer of children, but for those that it leaves out. */
export function gatewayChildrenOf(children: readonly Child[]): Record<string, GatewayChild> {
  return Object.fromEntries(
    children
      .filter(({ kind, isShadowed }) => kind !== 'ill-formed' && !isShadowed)
      .map((child) => [child.name as string, gatewayChildOf(child)]),
  );
}

function gatewayChildOf({ kind, mutable, format, size, metadata, caps }: Child): GatewayChild {
  const { write, read, verify } = caps;
  const common = {
    metadata,
    ...(write !== undefined && { rw_uri: write }),
    ...(read !== undefined && { ro_uri: read }),
  };
  if (kind === 'unknown') return ['unknown', common];
  const known = { ...common, mutable, ...(verify !== undefined && { verify_uri: verify }) };
  if (kind === 'directory') return ['dirnode', known];
  const shown = format === 'lit' ? 'CHK' : format?.toUpperCase();
  return ['filenode', { ...known, format: shown, ...(size !== undefined && { size }) }];
}

/** Children as the gateway is asked for them, for a new table. */
export function additionsOf(children: GatewayChildren): Addition[] {
  return Object.entries(children).map(([name, [, { rw_uri, ro_uri, metadata }]]) => ({
    name: name.normalize('NFC'),
    caps: linkable({
      ...(rw_uri !== undefined && { write: String(rw_uri) }),
      ...(ro_uri !== undefined && { read: String(ro_uri) }),
    }),
    ...(metadata !== undefined && { metadata: metadataFrom(metadata as object as Metadata) }),
  }));
}
