/**
 * @module new-session: a session, of what a grid and a file say.
 */

import { binaryString } from '../bytes.ts';
import type { Cap } from '../caps.ts';
import { storageIndexOf } from '../caps.ts';
import { permutedServers } from '../permute.ts';
import { Recent } from '../recent.ts';
import { FileSignatures } from '../share/signatures.ts';
import type { StorageServer } from '../storage/server.ts';
import type { Advisories } from './advisories.ts';
import { Pace } from './pace.ts';
import type { Engine } from './run.ts';
import { batchesFor, type Keyring, type Session, type Sightings, secretsOf } from './session.ts';
import { watchedServers } from './watched-server.ts';

/** What a session is made of. */
export interface SessionSetting {
  readonly engine: Engine;
  /** In any order. */
  readonly servers: readonly StorageServer[];
  readonly cap: Cap;
  readonly keyring: Keyring;
  readonly sightings: Sightings;
  /** Of the files that were used last, by fingerprint. */
  readonly signatures: Recent<string, FileSignatures>;
  readonly headLength: number;
  readonly leaseSecret: Uint8Array;
  readonly advisories: Advisories;
  /** N of new files. */
  readonly usualTotal: number;
  /** Servers, for a version to be read or acknowledged, as far as the grid knows. */
  readonly enough: number;
}

/** Of fields that claim to be the private key; those of one file are all the same. */
const privateKeysMax = 16;

export function newSession({ servers, leaseSecret, enough, ...setting }: SessionSetting): Session {
  const { engine, cap } = setting;
  const { fingerprint } = cap;
  const storageIndex = storageIndexOf(cap);
  const permuted = permutedServers(watchedServers(servers, engine.operation), storageIndex);
  const secretsFor = secretsOf(cap, leaseSecret, storageIndex);
  const signatures = setting.signatures.of(
    binaryString(fingerprint),
    () => new FileSignatures(fingerprint, engine.primitives),
  );
  const headers: Session['headers'] = new Map();
  return {
    ...setting,
    storageIndex,
    signatures,
    privateKeys: new Recent(privateKeysMax),
    keyAhead: undefined,
    shares: undefined,
    servers: new Map(permuted.map((server) => [server.id, server])),
    heads: new Map(),
    early: new Map(),
    batches: batchesFor({ secretsFor, storageIndex }),
    headers,
    paces: pacesOf(engine, headers, enough),
    asked: new Set(),
    secretsFor,
  };
}

function pacesOf(engine: Engine, headers: Session['headers'], enough: number): Session['paces'] {
  const needed = () => Math.max(enough, ...[...headers.values()].map(({ required }) => required));
  return {
    query: new Pace(engine, needed),
    queryAll: new Pace(engine),
    field: new Pace(engine),
    blocks: new Pace(engine),
    write: new Pace(engine, needed),
  };
}
